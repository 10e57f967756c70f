import { expect, test } from "vitest";
import type { Trace } from "./trace.ts";
import { createWorld } from "./world.ts";

const trace = (...tasks: readonly (readonly [at: number, ms: number])[]): Trace => ({
  arrivedAt: Float64Array.from(tasks, ([at]) => at),
  serviceMs: Float64Array.from(tasks, ([, ms]) => ms),
});
const start = (of: Trace, given: object = {}) =>
  createWorld({ trace: of, startupMs: 2_000, concurrency: 1, replicas: 1, graceMs: 500, ...given });

test("one slot takes one task after the other, from when its pod has started", () => {
  const world = start(trace([0, 1_000], [0, 1_000], [500, 1_000]));
  world.advance(3_500);
  expect([world.ready, world.unacked, world.done]).toEqual([1, 1, false]);
  world.advance(10_000);
  expect([...world.waits]).toEqual([2, 3, 3.5]);
  expect([world.done, world.replicaSeconds()]).toEqual([true, 10]);
  expect(world.pods()).toMatchObject([{ finished: 3, busyMs: 3_000 }]);
});

test("a cordoned pod finishes what it runs and takes nothing new", () => {
  const world = start(trace([0, 1_000], [0, 1_000]));
  world.advance(2_500);
  world.cordon("pod-000000", true);
  world.advance(9_000);
  expect([world.ready, world.unacked]).toEqual([1, 0]);
  world.cordon("pod-000000", false);
  world.advance(10_000);
  expect([...world.waits]).toEqual([2, 9]);
});

test("a removed pod ends within its grace; a task that takes longer goes back to the head and is finished by another", () => {
  const world = start(trace([0, 5_000], [0, 1_000]));
  world.advance(3_000);
  world.remove("pod-000000");
  world.create(1);
  expect(world.pods()).toHaveLength(1);
  world.advance(20_000);
  expect(world.told).toEqual({ pods: 1, busy: 1, killed: 1 });
  expect([world.done, ...world.waits]).toEqual([true, 5, 10]);
  // 3.5 s of the first, and 17 s of the second.
  expect(world.replicaSeconds()).toBeCloseTo(20.5, 6);
});
