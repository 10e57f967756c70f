import * as fc from "fast-check";
import { expect, test } from "vitest";
import { planOracle, workSeconds } from "./oracle.ts";
import { tautString } from "./taut-string.ts";

test("the taut string stays between its walls and bends only where it touches them", () => {
  expect([...tautString(Float64Array.of(0, 0, 0, 3, 4), Float64Array.of(0, 1, 2, 3, 4))]).toEqual([1, 1, 1, 1]);
  expect([...tautString(Float64Array.of(0, 0, 0, 0, 4), Float64Array.of(0, 4, 4, 4, 4))]).toEqual([1, 1, 1, 1]);
  expect([...tautString(Float64Array.of(0, 3, 3, 4), Float64Array.of(0, 3, 3.5, 4))]).toEqual([3, 0.5, 0.5]);
});

test("the oracle's plan does all work between its arrival and its deadline, and costs no less than the work", () => {
  const tasks = fc.array(fc.tuple(fc.integer({ min: 0, max: 120 }), fc.integer({ min: 1, max: 20 })), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(tasks, fc.integer({ min: 1, max: 4 }), (list, concurrency) => {
      const sorted = [...list].sort(([a], [b]) => a - b);
      const trace = {
        arrivedAt: Float64Array.from(sorted, ([at]) => at * 1_000),
        serviceMs: Float64Array.from(sorted, ([, seconds]) => seconds * 1_000),
      };
      const { serving, stepMs } = planOracle({ trace, waitSeconds: 30, concurrency, startupMs: 3_000, minReplicas: 0, maxReplicas: 100 });
      const planned = serving.reduce((sum, replicas) => sum + replicas, 0) * (stepMs / 1_000);
      expect(planned).toBeGreaterThanOrEqual(workSeconds(trace, concurrency) - 1e-6);
    }),
    { numRuns: 50 },
  );
});
