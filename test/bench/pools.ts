import { randomInt } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Resource } from "../../operator/adapters/ports.ts";
import { brokerKind } from "../../operator/kinds/broker/schema.ts";
import { queueKind } from "../../operator/kinds/queue/schema.ts";
import { storeKind } from "../../operator/kinds/store/schema.ts";
import { workerPoolKind } from "../../operator/kinds/worker-pool/schema.ts";
import { resourceOf } from "../../operator/runtime/define-kind.ts";
import { inParallel } from "../../operator/runtime/in-parallel.ts";
import type { Condition, KubeObject } from "../../operator/runtime/object.ts";
import { createRecordingLog } from "../fakes/log.ts";
import type { OperatorProcess } from "../integration/operator-process.ts";
import { cpuSeconds, residentMb } from "./operator-processes.ts";
import { apiWrites, writesBetween } from "./pools/api-writes.ts";
import { backends, MAX_REPLICAS, NAMESPACE, PER_REPLICA, poolName, pools as poolObjects, queueNames, queues } from "./pools/objects.ts";
import { watchSizes } from "./pools/sizes.ts";
import { type Stage, setStage } from "./pools/stage.ts";
import { quantile, type Report } from "./report.ts";

/** `BENCH_POOLS=100` tries the bench itself on a busy machine. */
const SIZES = { pools: Number(process.env["BENCH_POOLS"] ?? 1_000), queuesPerPool: 2 };
const IDLE_SECONDS = 30;
const CLIENTS = 16;
/** Bursts on single pools begin at random, this long after one another on average, ms. */
const BURST_EVERY_MS = 150;
const MESSAGES = MAX_REPLICAS * PER_REPLICA;
const CORE: Readonly<Record<string, Resource>> = {
  Namespace: { group: "", version: "v1", plural: "namespaces", kind: "Namespace" },
  Secret: { group: "", version: "v1", plural: "secrets", kind: "Secret" },
};
const KINDS: Readonly<Record<string, Resource>> = {
  ...CORE,
  ...Object.fromEntries([brokerKind, queueKind, storeKind, workerPoolKind].map((kind) => [kind.kind, resourceOf(kind)])),
};

const secondsSince = (start: number): number => (performance.now() - start) / 1_000;

async function create({ kube }: Stage, objects: readonly KubeObject[]): Promise<void> {
  await inParallel(objects, CLIENTS, async (object) => {
    const resource = KINDS[object.kind];
    if (resource === undefined) throw new Error(`what is a ${object.kind}?`);
    await kube.create(resource, object);
  });
}

interface WithConditions extends KubeObject {
  readonly status?: { readonly conditions?: readonly Condition[] };
}

/** Asks every second until all objects of a kind are Ready. */
async function allReady({ kube }: Stage, resource: Resource, count: number, seconds: number): Promise<void> {
  const deadline = performance.now() + seconds * 1_000;
  let ready = 0;
  for (;;) {
    ready = 0;
    let from: string | undefined;
    do {
      const page = { limit: 500, ...(from === undefined ? {} : { continue: from }) };
      const list = await kube.list<WithConditions>(resource, { namespace: NAMESPACE }, page, AbortSignal.timeout(30_000));
      ready += list.items.filter(({ status }) =>
        status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True"),
      ).length;
      from = list.continue;
    } while (from !== undefined);
    if (ready >= count) return;
    if (performance.now() > deadline) throw new Error(`of ${count} ${resource.plural} only ${ready} were Ready within ${seconds} s`);
    await delay(1_000);
  }
}

async function publish({ channel }: Stage, pool: number): Promise<number> {
  const [queue = ""] = queueNames(pool, SIZES);
  const confirmed: Promise<void>[] = [];
  for (let at = 0; at < MESSAGES; at += 1) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    channel.sendToQueue(queue, Buffer.from("{}"), { persistent: true }, (error) => (error === null ? resolve() : reject(error)));
    confirmed.push(promise);
  }
  await Promise.all(confirmed);
  return performance.now();
}

async function purge({ channel }: Stage, indexes: readonly number[]): Promise<void> {
  for (const pool of indexes) await channel.purgeQueue(queueNames(pool, SIZES)[0] ?? "");
}

/** Waits until the API server counts no write for five seconds on end. */
async function calm({ server }: Stage, seconds: number): Promise<void> {
  const deadline = performance.now() + seconds * 1_000;
  let before = await apiWrites(server);
  for (;;) {
    await delay(5_000);
    const after = await apiWrites(server);
    const writes = writesBetween(before, after);
    if (Object.keys(writes).length === 0) return;
    if (performance.now() > deadline) throw new Error(`after ${seconds} s the operator still writes: ${JSON.stringify(writes)} in 5 s`);
    before = after;
  }
}

/** How often the operator warned of what. */
function warnings({ lines }: OperatorProcess): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { level, msg } of lines) if (level !== "info") counts[String(msg)] = (counts[String(msg)] ?? 0) + 1;
  return counts;
}

/** A thousand pools over two thousand queues in one operator: what it costs while nothing happens, and how soon it acts on one and on all of them. */
export async function pools({ trials = 200 }: { trials: number | undefined }): Promise<Report> {
  await using stage = await setStage();
  await using operator = await stage.startOperator();
  await using sizes = watchSizes(stage.kube, createRecordingLog());
  const say = (text: string) => process.stderr.write(`${text}\n`);

  const began = performance.now();
  await create(stage, backends(stage.uris).slice(0, 1));
  await create(stage, [...backends(stage.uris).slice(1), ...queues(SIZES), ...poolObjects(SIZES)]);
  const createdSeconds = secondsSince(began);
  say(`created in ${createdSeconds.toFixed(1)} s`);
  await allReady(stage, resourceOf(queueKind), SIZES.pools * SIZES.queuesPerPool, 420);
  say(`queues ready after ${secondsSince(began).toFixed(1)} s`);
  await allReady(stage, resourceOf(workerPoolKind), SIZES.pools, 420);
  const readySeconds = secondsSince(began);
  say(`pools ready after ${readySeconds.toFixed(1)} s`);
  await calm(stage, 120);

  const before = {
    writes: await apiWrites(stage.server),
    cpu: cpuSeconds(operator.pid),
    http: stage.http.requests(),
    declares: stage.declares.declares(),
  };
  await delay(IDLE_SECONDS * 1_000);
  const cores = (cpuSeconds(operator.pid) - before.cpu) / IDLE_SECONDS;
  const requests = (stage.http.requests() - before.http) / IDLE_SECONDS;
  const declares = (stage.declares.declares() - before.declares) / IDLE_SECONDS;
  const idle = writesBetween(before.writes, await apiWrites(stage.server));
  const idleRss = residentMb(operator.pid);
  say(
    `idle: ${cores.toFixed(2)} cores, ${requests.toFixed(1)} requests/s, ${declares.toFixed(0)} declares/s, ${idleRss.toFixed(0)} MB, writes ${JSON.stringify(idle)}`,
  );

  const latencies: number[] = [];
  const chosen = new Set<number>();
  while (chosen.size < Math.min(trials, SIZES.pools)) chosen.add(randomInt(SIZES.pools));
  const running: Promise<void>[] = [];
  for (const pool of chosen) {
    await delay(2 * BURST_EVERY_MS * Math.random());
    const seen = sizes.reached(poolName(pool), MAX_REPLICAS, 60_000);
    running.push(publish(stage, pool).then(async (at) => void latencies.push(Math.max(0, (await seen) - at))));
  }
  await Promise.all(running);
  say(`decisions: p50 ${quantile(latencies, 0.5).toFixed(0)} ms, p99 ${quantile(latencies, 0.99).toFixed(0)} ms`);
  await purge(stage, [...chosen]);
  await Promise.all([...chosen].map((pool) => sizes.reached(poolName(pool), 0, 120_000)));
  await calm(stage, 120);

  const all = Array.from({ length: SIZES.pools }, (_, index) => index);
  const cpu = cpuSeconds(operator.pid);
  const burst = performance.now();
  const patched = Promise.all(all.map((pool) => sizes.reached(poolName(pool), MAX_REPLICAS, 120_000)));
  const published = Promise.all(all.map((pool) => publish(stage, pool))).then(() => secondsSince(burst));
  const [publishSeconds, seen] = await Promise.all([published, patched]);
  const times = seen.map((at) => (at - burst) / 1_000);
  const burstSeconds = Math.max(...times);
  say(`burst: published in ${publishSeconds.toFixed(1)} s, all patched after ${burstSeconds.toFixed(1)} s`);
  const burstCores = (cpuSeconds(operator.pid) - cpu) / burstSeconds;

  say(`the operator warned of: ${JSON.stringify(warnings(operator))}`);

  return {
    bench: "pools",
    figures: {
      decision_p99_ms: quantile(latencies, 0.99),
      cores,
      rss_mb: residentMb(operator.pid),
      broker_requests_per_s: requests,
      idle_writes: Object.values(idle).reduce((sum, count) => sum + count, 0),
      burst_all_patched_s: burstSeconds,
      decision_p50_ms: quantile(latencies, 0.5),
      declares_per_s: declares,
      rss_idle_mb: idleRss,
      burst_published_s: publishSeconds,
      burst_cores: burstCores,
      created_s: createdSeconds,
      all_ready_s: readySeconds,
    },
    peers: {},
    settings: {
      ...SIZES,
      queue_type: "quorum",
      trials: latencies.length,
      idle_seconds: IDLE_SECONDS,
      operator: "the bundle, one process, with the image's flags",
    },
    series: { decision_ms: latencies, patched_s: times },
  };
}
