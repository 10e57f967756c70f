import { expect, test } from "vitest";
import { createAutoscaleWorld, POOLS } from "../../../test/fakes/autoscale-world.ts";

type World = Awaited<ReturnType<typeof createAutoscaleWorld>>;
const scaleDown = (drainTimeoutSeconds: number) => ({ windowSeconds: 0, drainTimeoutSeconds });

/** Two pods of two slots with a long task each, one of which is being drained. */
async function draining(world: World): Promise<void> {
  world.workers.taskMs = 60_000;
  world.workers.ready = 4;
  await world.live(3_000);
  expect(world.size()).toBe(2);
  await world.kube.patch(POOLS, "default", "video", { spec: { autoscaling: { backlogPerReplica: 4 } } });
  await world.live(4_000);
  expect(world.status()).toMatchObject({ desiredReplicas: 1, drainingReplicas: 1 });
}

const orders: readonly [what: string, patch: object, reason: string][] = [
  ["a pause", { metadata: { annotations: { "longshore.dev/paused": "all" } } }, "Paused"],
  ["a pause downwards", { metadata: { annotations: { "longshore.dev/paused": "down" } } }, "Paused"],
  ["mode Advise", { spec: { autoscaling: { mode: "Advise" } } }, "BacklogThreshold"],
];
test.for(orders)("%s gives back to the work what is being drained, and takes no pod away", async ([, patch, reason]) => {
  const world = await createAutoscaleWorld({ backlogPerReplica: 2, cooldownSeconds: 0, scaleDown: scaleDown(0) });
  await using operator = world.newOperator();
  operator.start();
  await draining(world);
  await world.kube.patch(POOLS, "default", "video", patch);
  await world.live(8_000);
  expect(world.status()).toMatchObject({ drainingReplicas: 0, autoscaling: { reason } });
  await world.live(120_000);
  expect([world.size(), world.workers.consumers, world.replicaSets.removed]).toEqual([2, 2, []]);
});

test("a pod whose time to drain is over goes, and an event says that its tasks still ran", async () => {
  const world = await createAutoscaleWorld({ backlogPerReplica: 2, cooldownSeconds: 0, scaleDown: scaleDown(10) });
  await using operator = world.newOperator();
  operator.start();
  await draining(world);
  await world.live(15_000);
  expect(world.size()).toBe(1);
  const [{ note } = { note: "" }] = world.events.filter(({ reason }) => reason === "DrainTimeout");
  expect(note).toMatch(/^video-\S+ removed with tasks that still ran/);
});
