import * as fc from "fast-check";
import { expect, test } from "vitest";
import { forWait, type WaitInput } from "./wait-need.ts";

const rates = (rate: number, seconds = 300, dispersion = 1) => ({
  fast: rate,
  slow: rate,
  believed: { rate, seconds, dispersion },
  serviceSeconds: 1,
});
/** 30 tasks/s of 1 s each, two slots per replica: 15 replicas are busy on the mean. */
const base: WaitInput = { ready: 1, rates: rates(30), serviceSeconds: 1, waitSeconds: 30, startupSeconds: 3, concurrency: 2, size: 16 };

const cases: readonly [why: string, given: Partial<WaitInput>, replicas: number][] = [
  ["the load and 5 % more", { size: 0 }, 16],
  ["a size that suffices stays", { size: 17 }, 17],
  ["one that cannot keep up grows", { size: 12 }, 16],
  ["one that may just keep up does not, before something waits", { size: 14, rates: rates(30, 60, 5) }, 14],
  ["and then it does", { size: 14, rates: rates(30, 60, 5), ready: 250 }, 18],
  ["while nothing waits there is no reason to grow", { size: 12, ready: 0 }, 12],
  ["one that is far too large shrinks to what chance does not ask back", { size: 24 }, 17],
  ["one that is a tenth too large stays", { size: 18 }, 18],
  ["a rate that was measured for a short time moves less", { size: 20, rates: rates(30, 10) }, 20],
  ["so does one that varies more than chance does", { size: 20, rates: rates(30, 60, 12) }, 20],
  ["a backlog that is worked off in time moves nothing", { ready: 150 }, 16],
  ["one that is not makes the pool grow", { ready: 1_200 }, 32],
  ["while much waits nothing is taken away", { ready: 200, size: 24 }, 24],
  ["start-up costs time", { ready: 1_200, startupSeconds: 20 }, 75],
  ["what surges in while replicas start counts", { ready: 100, rates: { ...rates(30), surge: 200 }, size: 16 }, 16],
  ["and makes the pool grow when it is more than it can do", { ready: 100, rates: { ...rates(30), surge: 600 }, size: 16 }, 42],
  ["a short objective needs room for chance", { waitSeconds: 0.1, startupSeconds: 0, size: 0 }, 21],
];
test.for(cases)("%s", ([, given, replicas]) => expect(forWait({ ...base, ...given }).replicas).toBe(replicas));

test("a decision stands: asked again with the size it gave, it gives the same", () => {
  const input = fc.record({
    ready: fc.integer({ min: 0, max: 10_000 }),
    rate: fc.double({ min: 0, max: 500, noNaN: true }),
    seconds: fc.constantFrom(10, 20, 40, 60, 300),
    serviceSeconds: fc.double({ min: 0.01, max: 60, noNaN: true }),
    waitSeconds: fc.double({ min: 0.1, max: 600, noNaN: true }),
    startupSeconds: fc.double({ min: 0, max: 60, noNaN: true }),
    concurrency: fc.integer({ min: 1, max: 50 }),
    size: fc.integer({ min: 0, max: 200 }),
  });
  fc.assert(
    fc.property(input, ({ rate, seconds, ...given }) => {
      const first = forWait({ ...given, rates: rates(rate, seconds) });
      const again = forWait({ ...given, rates: rates(rate, seconds), size: first.replicas });
      // A larger pool has less to catch up with, so that it may stop short of growing, and never goes back.
      expect(again.replicas).toBeLessThanOrEqual(first.replicas);
      expect(again.kept || given.ready > 0).toBe(true);
    }),
  );
});
