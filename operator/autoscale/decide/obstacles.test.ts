import { expect, test } from "vitest";
import { createAutoscaleWorld } from "../../../test/fakes/autoscale-world.ts";
import type { WorkerPool } from "../../kinds/worker-pool/schema.ts";
import { findRivals, type HorizontalPodAutoscaler } from "./rivals.ts";

const hpa = (kind: string, name = "video", namespace = "default"): HorizontalPodAutoscaler => ({
  apiVersion: "autoscaling/v2",
  kind: "HorizontalPodAutoscaler",
  metadata: { name: "keda-hpa-video", namespace },
  spec: { scaleTargetRef: { kind, name } },
});
const scaled = { metadata: { name: "video", namespace: "default" }, spec: { autoscaling: {} } } as WorkerPool;
const fixed = { metadata: { name: "video", namespace: "default" }, spec: {} } as WorkerPool;

const rivals: readonly [what: string, hpa: HorizontalPodAutoscaler, pool: WorkerPool, says: string | undefined][] = [
  [
    "on the Deployment",
    hpa("Deployment"),
    scaled,
    "HorizontalPodAutoscaler keda-hpa-video scales Deployment video of this pool, too; delete it",
  ],
  ["on the Deployment of a pool of a fixed size", hpa("Deployment"), fixed, "let it scale WorkerPool video instead"],
  ["on a pool with autoscaling", hpa("WorkerPool"), scaled, "delete one of the two"],
  ["on a pool without", hpa("WorkerPool"), fixed, undefined],
  ["on another Deployment", hpa("Deployment", "audio"), scaled, undefined],
  ["in another namespace", hpa("Deployment", "video", "other"), scaled, undefined],
];
test.for(rivals)("an HPA %s", ([, rival, pool, says]) => {
  const found = findRivals([rival])(pool);
  if (says === undefined) expect(found).toBeUndefined();
  else expect(found).toMatchObject({ reason: "Conflict", message: expect.stringContaining(says) });
});

const ready = (world: Awaited<ReturnType<typeof createAutoscaleWorld>>) => world.status()?.conditions?.find(({ type }) => type === "Ready");

test("while an HPA scales the Deployment the pool is left to it and says so; without it the pool goes on", async () => {
  const world = await createAutoscaleWorld({ cooldownSeconds: 0 }, 2);
  await using operator = world.newOperator();
  operator.start();
  await world.live(3_000);
  world.hpas.push(hpa("Deployment"));
  await world.live(1_500);
  world.workers.ready = 500;
  await world.live(3_000);
  expect(world.size()).toBe(2);
  expect(ready(world)).toMatchObject({ status: "False", reason: "Conflict", message: expect.stringContaining("keda-hpa-video") });
  world.hpas.pop();
  await world.live(2_000);
  expect(world.size()).toBe(10);
});

test("a pool whose scheduled floor cannot be read grows, never shrinks, and its condition names the field", async () => {
  const floors = [{ cron: "0 25 * * *", timeZone: "UTC", durationMinutes: 60, minReplicas: 3 }];
  const world = await createAutoscaleWorld({ floors, cooldownSeconds: 0 });
  await using operator = world.newOperator();
  operator.start();
  await world.live(2_000);
  world.workers.ready = 200;
  await world.live(60_000);
  expect([world.workers.finished, world.size()]).toEqual([200, 4]);
  expect(ready(world)).toMatchObject({
    status: "False",
    reason: "InvalidSpec",
    message: expect.stringContaining('cron "0 25 * * *" cannot be read: Invalid value for hour: 25'),
  });
});
