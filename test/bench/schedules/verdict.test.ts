import { expect, test } from "vitest";
import { failovers, firstArrivals, type Gap, latenesses } from "./verdict.ts";

const gap = (from: number, arrived: number, to: number, signal: Gap["signal"] = "SIGKILL", due = 0): Gap => ({
  signal,
  from,
  first: { arrived, due },
  to,
});

test("what was due in a gap does not count as late, what was due before and after does", () => {
  const lines = [
    { due: 1_000, arrived: 1_010 },
    { due: 2_000, arrived: 6_000 },
    { due: 5_500, arrived: 6_000 },
    { due: 7_000, arrived: 7_020 },
  ];
  expect(latenesses(lines, [gap(1_900, 5_700, 6_500)])).toEqual([10, 20]);
});

test("a message that comes again does not count, the same due time of another schedule does", () => {
  const line = (schedule: string, due: number, arrived: number) => ({ schedule, due, arrived });
  const lines = [line("a", 1_000, 1_010), line("b", 1_000, 1_020), line("a", 1_000, 5_000), line("a", 2_000, 2_010)];
  expect(firstArrivals(lines).map(({ arrived }) => arrived)).toEqual([1_010, 1_020, 2_010]);
});

test("a failover lasts until the first message of the next leader, from the signal or from when something was due again", () => {
  const gaps = [gap(0, 3_000, 9_000), gap(0, 4_000, 5_000), gap(0, 1_200, 1_300, "SIGTERM", 900)];
  expect(failovers(gaps, "SIGKILL")).toEqual({ longest: 4, median: 3, fromSignal: 4 });
  expect(failovers(gaps, "SIGTERM")).toEqual({ longest: 0.3, median: 0.3, fromSignal: 1.2 });
});
