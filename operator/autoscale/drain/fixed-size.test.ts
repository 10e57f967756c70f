import { expect, test } from "vitest";
import { createAutoscaleWorld, POOLS } from "../../../test/fakes/autoscale-world.ts";

/** What `kubectl scale workerpool` and an external HPA do. */
const ask = (world: Awaited<ReturnType<typeof createAutoscaleWorld>>, replicas: number) =>
  world.kube.patch(POOLS, "default", "video", { spec: { replicas } });

test("a pool without autoscaling grows at once, and shrinks by drained pods only", async () => {
  const world = await createAutoscaleWorld({}, 1, 4);
  await using operator = world.newOperator();
  operator.start();
  await world.live(6_000);
  expect(world.size()).toBe(4);
  expect(world.status()).toMatchObject({ desiredReplicas: 4, replicas: 4 });

  world.workers.taskMs = 30_000;
  world.workers.ready = 8;
  await world.live(2_000);
  await ask(world, 1);
  await world.live(15_000);
  expect(world.size()).toBe(4);
  expect(world.status()).toMatchObject({ desiredReplicas: 1, drainingReplicas: 3 });
  await world.live(30_000);
  expect([world.size(), world.replicaSets.killed, world.workers.finished]).toEqual([1, 0, 8]);
});

test("a pool without autoscaling is kept at its size, whoever else scales its Deployment", async () => {
  const world = await createAutoscaleWorld({}, 2, 2);
  await using operator = world.newOperator();
  operator.start();
  await world.live(3_000);
  await world.kube.patch({ group: "apps", version: "v1", plural: "deployments", kind: "Deployment" }, "default", "video", {
    spec: { replicas: 0 },
  });
  await world.live(8_000);
  expect(world.size()).toBe(2);
});
