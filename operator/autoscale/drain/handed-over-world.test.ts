import { expect, test } from "vitest";
import { type AutoscaleWorld, createAutoscaleWorld } from "../../../test/fakes/autoscale-world.ts";

const marked = (world: AutoscaleWorld) =>
  world.caches.pods.list().filter(({ metadata }) => metadata.annotations?.["longshore.dev/draining"] !== undefined);

/** Lets time pass, but for the ReplicaSet controller. */
async function withoutController(world: AutoscaleWorld, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 50) {
    await world.clock.advance(50);
    world.workers.work(world.clock.elapsed());
  }
}

test("load that returns right after the scale was lowered does not call back pods that a slow controller is about to take", async () => {
  const world = await createAutoscaleWorld({ cooldownSeconds: 0, minReplicas: 1 });
  await using operator = world.newOperator();
  operator.start();
  await world.live(3_000);
  world.workers.ready = 500;
  await world.live(5_000);
  expect(world.size()).toBe(10);
  // Everything is done, all but one are drained, and the scale falls while the controller looks elsewhere.
  for (let waited = 0; world.size() === 10 && waited < 120_000; waited += 50) {
    if (marked(world).length === 0) await world.live(50);
    else await withoutController(world, 50);
  }
  const size = world.size() ?? 0;
  expect(size).toBeLessThan(10);
  const before = marked(world).map(({ metadata }) => metadata.name);
  const handedOver = before.filter((name) => cheap(world, name));
  expect(handedOver.length).toBeGreaterThanOrEqual(10 - size);
  world.workers.ready = 500;
  await withoutController(world, 5_000);
  expect(world.size()).toBe(10);
  const still = new Set(marked(world).map(({ metadata }) => metadata.name));
  expect(handedOver.filter((name) => still.has(name)).length).toBeGreaterThanOrEqual(10 - size);
});

const cheap = (world: AutoscaleWorld, name: string): boolean =>
  world.caches.pods.get(`default/${name}`)?.metadata.annotations?.["controller.kubernetes.io/pod-deletion-cost"] !== undefined;
