import { Redis } from "ioredis";
import { beforeAll, expect, test } from "vitest";
import type { WorkerPool } from "../../operator/kinds/worker-pool/schema.ts";
import { type Cluster, up } from "../cluster/cluster.ts";
import { buildImages } from "../product/images.ts";
import { kubectl } from "../product/kubectl.ts";
import { openAutoscaleLab } from "./autoscale-lab.ts";

const autoscaling: NonNullable<WorkerPool["spec"]["autoscaling"]> = {
  minReplicas: 0,
  maxReplicas: 100,
  backlogPerReplica: 50,
  scaleUp: { windowSeconds: 0 },
  scaleDown: { windowSeconds: 0, drainTimeoutSeconds: 0 },
  cooldownSeconds: 0,
  floors: [],
  mode: "Active",
};
/** Pods that no node takes. */
const NOWHERE = { spec: { nodeSelector: { "longshore.dev/test": "no-such-node" } } };
const TASK = `import { defineTask, z } from "longshore";
export const pause = defineTask({
  name: "test.pause",
  kwargs: z.object({ ms: z.number() }),
  run: ({ ms }, { signal }) => new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(ms), ms);
    signal.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); });
  }),
});
`;

let cluster: Cluster;
beforeAll(async () => {
  cluster = await up();
});

test("500 messages take the Deployment from 0 to 10 in one patch, and an empty queue takes it back", async () => {
  await using lab = await openAutoscaleLab(cluster, cluster.baseImage, autoscaling, NOWHERE);
  await using operator = lab.newOperator();
  operator.start();
  await expect.poll(() => lab.size()).toBe(0);
  await lab.send(
    "test.none",
    Array.from({ length: 500 }, () => 0),
  );
  const sent = performance.now();
  await expect.poll(() => lab.size(), { interval: 10 }).toBe(10);
  expect(lab.sizes.map(({ replicas }) => replicas)).toEqual([0, 10]);
  expect((lab.sizes.at(-1)?.at ?? 0) - sent).toBeLessThan(1_000);
  expect(lab.events.map(({ note }) => note)).toEqual(["0 -> 10: backlog 500 (500 ready, 0 in flight) at 50 per replica"]);
  await lab.channel.purgeQueue(lab.queue);
  // A zero without consumers is believed when the broker's totals agree, some seconds later.
  await expect.poll(() => lab.size(), { timeout: 30_000, interval: 100 }).toBe(0);
});

test("real workers do all the work, only idle ones go, and nothing is killed or redelivered", { timeout: 240_000 }, async () => {
  const { worker } = await buildImages(cluster);
  await using lab = await openAutoscaleLab(cluster, worker, { ...autoscaling, maxReplicas: 4, backlogPerReplica: 4 });
  const data = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "tasks" }, data: { "pause.ts": TASK } });
  await kubectl(cluster, ["--namespace", lab.namespace, "apply", "-f", "-"], data);
  /** What the last beat of each pod said when its deletion was seen. */
  const busyWhenTold: Promise<number>[] = [];
  const redis = new Redis(cluster.redis.uri);
  const told = new Set<string>();
  const watching = lab.pods.subscribe(({ object }) => {
    if (object?.metadata.deletionTimestamp === undefined || told.has(object.metadata.name)) return;
    told.add(object.metadata.name);
    const beat = redis.hget(`longshore:heartbeats:{${lab.namespace}/pool}`, object.metadata.name);
    busyWhenTold.push(beat.then((found) => (found === null ? 0 : (JSON.parse(found) as { unacked: number }).unacked)));
  });

  const first = lab.newOperator();
  first.start();
  const ids = [
    ...(await lab.send(
      "test.pause",
      Array.from({ length: 24 }, (_, index) => 300 + (index % 6) * 900),
    )),
  ];
  await expect.poll(() => lab.size(), { timeout: 30_000 }).toBe(4);
  await expect.poll(() => told.size, { timeout: 60_000 }).toBeGreaterThan(0);
  // The operator goes in the middle of the drain, and another one takes over.
  await first[Symbol.asyncDispose]();
  await using second = lab.newOperator();
  second.start();
  ids.push(...(await lab.send("test.pause", [2_000, 4_000, 200])));
  await expect.poll(() => lab.size(), { timeout: 120_000, interval: 200 }).toBe(0);
  await expect.poll(() => told.size, { timeout: 30_000 }).toBeGreaterThanOrEqual(4);

  const metas = await redis.mget(ids.map((id) => `celery-task-meta-${id}`));
  watching[Symbol.dispose]();
  const unacked = await Promise.all(busyWhenTold);
  redis.disconnect();
  expect(metas.filter((meta) => meta?.includes('"SUCCESS"'))).toHaveLength(27);
  expect(unacked.filter((count) => count !== 0)).toEqual([]);
  expect(lab.events.filter(({ reason }) => reason === "DrainSurprise")).toEqual([]);
  const headers = { authorization: `Basic ${Buffer.from(`${cluster.broker.username}:${cluster.broker.password}`).toString("base64")}` };
  const answer = await fetch(`${cluster.broker.managementUri}/api/queues/%2F/${lab.queue}`, { headers });
  expect(((await answer.json()) as { message_stats?: { redeliver?: number } }).message_stats?.redeliver ?? 0).toBe(0);
});
