import { expect, test } from "vitest";
import { createKeda, KEDA_DEFAULTS } from "./keda.ts";
import { run } from "./run.ts";

/** Sizes that KEDA and its HPA ask for, and when (s): `tasks` come at once after 5 s, each as long as said. */
function sizes(tasks: number, serviceMs: number, untilMs: number): readonly (readonly [at: number, size: number])[] {
  const trace = { arrivedAt: new Float64Array(tasks).fill(5_000), serviceMs: new Float64Array(tasks).fill(serviceMs) };
  const system = createKeda({ ...KEDA_DEFAULTS, value: 20, minReplicas: 0, maxReplicas: 100 });
  const options = { trace, startupMs: 1_000, graceMs: 30_000, concurrency: 2, replicas: 0, untilMs, momentMs: 100 };
  const { moments } = run(system, options);
  return moments.flatMap(({ at, wanted }, index) => (wanted === (moments[index - 1]?.wanted ?? 0) ? [] : [[at, wanted] as const]));
}

test("from 0 to 10 it goes 1, 4, 8, 10, and takes about a minute, as the real one does (measured: 37-59 s)", () => {
  const steps = sizes(200, 3_600_000, 200_000);
  expect(steps.map(([, size]) => size)).toEqual([1, 4, 8, 10]);
  const last = steps.at(-1)?.[0] ?? 0;
  expect(last - 5).toBeGreaterThan(37);
  expect(last - 5).toBeLessThan(85);
});

test("what was needed in the last 300 s is kept, and the last replica goes when nothing was there for 300 s", () => {
  const steps = sizes(200, 1_000, 900_000);
  const top = Math.max(...steps.map(([, size]) => size));
  const [shrinks, ends] = [steps.find(([, size], index) => size < (steps[index - 1]?.[1] ?? 0)), steps.at(-1)];
  expect(top).toBeGreaterThanOrEqual(4);
  expect(ends?.[1]).toBe(0);
  expect(shrinks?.[0]).toBeGreaterThan(300);
  expect(ends?.[0]).toBeGreaterThan(330);
});
