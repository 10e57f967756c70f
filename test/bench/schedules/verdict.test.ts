import { expect, test } from "vitest";
import { failovers, type Gap, latenesses } from "./verdict.ts";

const gap = (from: number, firstAt: number, to: number, signal: Gap["signal"] = "SIGKILL"): Gap => ({ signal, from, firstAt, to });

test("what was due in a gap does not count as late, what was due before and after does", () => {
  const lines = [
    { due: 1_000, arrived: 1_010 },
    { due: 2_000, arrived: 6_000 },
    { due: 5_500, arrived: 6_000 },
    { due: 7_000, arrived: 7_020 },
  ];
  expect(latenesses(lines, [gap(1_900, 5_700, 6_500)])).toEqual([10, 20]);
});

test("a failover lasts until the first message of the next leader", () => {
  const gaps = [gap(0, 3_000, 9_000), gap(0, 4_000, 5_000), gap(0, 200, 300, "SIGTERM")];
  expect(failovers(gaps, "SIGKILL")).toEqual({ longest: 4, median: 3 });
  expect(failovers(gaps, "SIGTERM")).toEqual({ longest: 0.2, median: 0.2 });
});
