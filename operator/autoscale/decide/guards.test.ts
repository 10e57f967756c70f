import { expect, test } from "vitest";
import { createAutoscaleWorld } from "../../../test/fakes/autoscale-world.ts";

test("workers that hang are not multiplied without end, the pool says why, and goes on when one finishes", async () => {
  const world = await createAutoscaleWorld({ backlogPerReplica: 10, maxReplicas: 50 });
  await using operator = world.newOperator();
  operator.start();
  await world.live(2_000);
  world.workers.ready = 30;
  await world.live(9_000);
  world.workers.taskMs = 200_000;
  world.workers.ready = 80;
  await world.live(70_000);
  const grown = world.size() ?? 0;
  expect(grown).toBeGreaterThan(3);
  world.workers.ready = 400;
  await world.live(5_000);
  expect(world.size()).toBe(grown);
  expect(world.status()).toMatchObject({ autoscaling: { reason: "ScalingIneffective", message: expect.stringContaining("not one task") } });
  const ready = world.status()?.conditions?.find(({ type }) => type === "Ready");
  expect(ready).toMatchObject({ status: "False", reason: "ScalingIneffective", message: expect.stringContaining("look at") });
  await world.live(130_000);
  expect(world.size()).toBeGreaterThan(30);
});
