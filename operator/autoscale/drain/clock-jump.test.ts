import { expect, test } from "vitest";
import { createAutoscaleWorld, POOLS } from "../../../test/fakes/autoscale-world.ts";

const HOUR_MS = 3_600_000;

test.for([HOUR_MS, -HOUR_MS])(
  "a wall clock that jumps by %i ms in the middle of a drain kills nothing and holds up nothing",
  async (jump) => {
    const scaleDown = { windowSeconds: 0, drainTimeoutSeconds: 120 };
    const world = await createAutoscaleWorld({ backlogPerReplica: 2, cooldownSeconds: 0, scaleDown });
    await using operator = world.newOperator();
    operator.start();
    await world.live(2_000);
    world.workers.taskMs = 40_000;
    world.workers.ready = 10;
    await world.live(10_000);
    expect(world.size()).toBe(5);
    // One replica suffices from now on: four busy ones are drained.
    await world.kube.patch(POOLS, "default", "video", { spec: { autoscaling: { backlogPerReplica: 10 } } });
    await world.live(3_000);
    expect(world.status()?.drainingReplicas).toBe(4);
    world.clock.jump(jump);
    await world.live(10_000);
    expect([world.size(), world.replicaSets.removed]).toEqual([5, []]);
    await world.live(60_000);
    expect([world.size(), world.replicaSets.killed, world.workers.finished]).toEqual([0, 0, 10]);
  },
);

test("a burst is scaled at once after a jump, whatever the direction", async () => {
  const world = await createAutoscaleWorld();
  await using operator = world.newOperator();
  operator.start();
  for (const [jump, ready, size] of [
    [-HOUR_MS, 100, 2],
    [2 * HOUR_MS, 500, 10],
  ] as const) {
    await world.live(2_000);
    world.clock.jump(jump);
    world.workers.taskMs = 600_000;
    world.workers.ready = ready;
    await world.live(1_000);
    expect(world.size()).toBe(size);
  }
});
