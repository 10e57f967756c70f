import { Registry } from "prom-client";
import type { ReadyCount } from "../../operator/adapters/ports.ts";
import type { HorizontalPodAutoscaler } from "../../operator/autoscale/decide/rivals.ts";
import { createAutoscaleMetrics } from "../../operator/autoscale/metrics.ts";
import { type Autoscaler, createAutoscaler } from "../../operator/autoscale/start.ts";
import type { Deployment } from "../../operator/kinds/worker-pool/deployment.ts";
import type { Pod } from "../../operator/kinds/worker-pool/pods.ts";
import type { WorkerPool } from "../../operator/kinds/worker-pool/schema.ts";
import { createCache } from "../../operator/runtime/cache/cache.ts";
import type { EventInput } from "../../operator/runtime/truth/events.ts";
import { createStatusWriter } from "../../operator/runtime/truth/status.ts";
import { createFakeClock } from "./clock.ts";
import { createFakeWorkers } from "./fake-workers.ts";
import { createFakeKube } from "./kube.ts";
import { createRecordingLog } from "./log.ts";
import { createFakeReplicaSets } from "./replica-sets.ts";

export const POOLS = { group: "longshore.dev", version: "v1alpha1", plural: "workerpools", kind: "WorkerPool" };
const DEPLOYMENTS = { group: "apps", version: "v1", plural: "deployments", kind: "Deployment" };
export const PODS = { group: "", version: "v1", plural: "pods", kind: "Pod" };
const ENDPOINT = {
  host: "broker",
  port: 5672,
  vhost: "/",
  tls: false,
  username: "u",
  password: "p",
  management: { url: "http://broker", username: "u", password: "p" },
  display: "broker:5672/",
};
const STORE = { uri: "redis://store", display: "store:6379/0" };
const STEP_MS = 50;

const autoscaling: NonNullable<WorkerPool["spec"]["autoscaling"]> = {
  minReplicas: 0,
  maxReplicas: 10,
  backlogPerReplica: 50,
  scaleUp: { windowSeconds: 0 },
  scaleDown: { windowSeconds: 15, drainTimeoutSeconds: 0 },
  cooldownSeconds: 30,
  floors: [],
  mode: "Active",
};

export type AutoscaleWorld = Awaited<ReturnType<typeof createAutoscaleWorld>>;

/** One pool `default/video` of one queue, with an API server, a ReplicaSet controller, workers, a broker and a store in memory. */
export async function createAutoscaleWorld(
  given: Partial<NonNullable<WorkerPool["spec"]["autoscaling"]>> = {},
  replicas = 0,
  /** Takes the place of the whole of `autoscaling`: a pool of a fixed size. */
  fixed?: number,
) {
  const clock = createFakeClock();
  const kube = createFakeKube();
  const log = createRecordingLog();
  const workers = createFakeWorkers("q", 2);
  const replicaSets = createFakeReplicaSets(kube, clock, workers);
  const events: EventInput[] = [];
  const hpas: HorizontalPodAutoscaler[] = [];
  /** What goes wrong, for tests to set. */
  const faults = { broker: false, store: false, falseZero: false, noTotals: false, alarms: [] as readonly string[] };

  kube.seed<WorkerPool>(POOLS, {
    apiVersion: "longshore.dev/v1alpha1",
    kind: "WorkerPool",
    metadata: { name: "video", namespace: "default" },
    spec: {
      runtime: "longshore",
      brokerRef: { name: "rabbitmq" },
      storeRef: { name: "redis" },
      queues: ["q"],
      concurrency: 2,
      ...(fixed === undefined ? { autoscaling: { ...autoscaling, ...given } } : { replicas: fixed }),
    },
  });
  kube.seed(DEPLOYMENTS, {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "video", namespace: "default", labels: { "longshore.dev/pool": "video" } },
    spec: { replicas, selector: { matchLabels: { "longshore.dev/pool": "video" } }, template: {} },
  });

  const cached = { kube, selection: {}, clock, random: () => 0.5, log };
  const caches = {
    pools: createCache<WorkerPool>({ ...cached, resource: POOLS }),
    deployments: createCache<Deployment>({ ...cached, resource: DEPLOYMENTS }),
    pods: createCache<Pod>({ ...cached, resource: PODS }),
  };
  for (const cache of Object.values(caches)) cache.start();

  const brokerDown = () => (faults.broker ? Promise.reject(new Error("cannot connect to broker:5672/")) : undefined);
  const count = (queue: string): ReadyCount => {
    if (queue !== "q") return { missing: true };
    return faults.falseZero ? { ready: 0, consumers: 0 } : { ready: workers.ready, consumers: workers.consumers };
  };
  const link = {
    sense: {
      async readyCounts(queues: readonly string[]) {
        await brokerDown();
        return new Map(queues.map((queue) => [queue, count(queue)]));
      },
      async totals() {
        await (faults.noTotals ? Promise.reject(new Error("no management API")) : brokerDown());
        const queues = new Map([["q", { ready: workers.ready, unacked: replicaSets.inFlight(), type: "quorum" as const }]]);
        return { queues, names: [...queues.keys()] };
      },
      unackedByPeer: () => Promise.resolve(new Map<string, number>()),
      alarms: async () => faults.alarms,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    control: {
      async ask(method: string, _: object, nodes: readonly string[]) {
        await brokerDown();
        const heard = nodes.filter((node) => workers.consume(node.replace("celery@", ""), method === "add_consumer"));
        return new Map(heard.map((node) => [node, { ok: method }]));
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const store = {
    probe: () => Promise.resolve({ version: "7", evictionPolicy: "noeviction", clustered: false }),
    readHashes: (keys: readonly string[]) =>
      faults.store ? Promise.reject(new Error("store is down")) : Promise.resolve(keys.map(() => workers.beats())),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };

  const newOperator = (): Autoscaler =>
    createAutoscaler({
      caches: { ...caches, hpas: { list: () => hpas } },
      kube,
      endpointOf: () => ENDPOINT,
      storeEndpointOf: () => STORE,
      connectBroker: () => link,
      connectStore: () => store,
      outcomeOf: () => ({ status: "True", reason: "Ready", message: "" }),
      status: createStatusWriter({ kube, clock }),
      events: { record: (event) => void events.push(event) },
      metrics: createAutoscaleMetrics(new Registry()),
      clock,
      log,
    });

  await clock.advance(0);
  return {
    clock,
    kube,
    log,
    caches,
    workers,
    replicaSets,
    events,
    hpas,
    faults,
    newOperator,
    /** Lets the whole world live for so long. */
    async live(ms: number) {
      for (let passed = 0; passed < ms; passed += STEP_MS) {
        await clock.advance(STEP_MS);
        workers.work(clock.elapsed());
        await replicaSets.reconcile();
      }
    },
    size: () => caches.deployments.get("default/video")?.spec.replicas,
    status: () => caches.pools.get("default/video")?.status,
    /** The sizes that the scale was patched to, in order. */
    patches: () =>
      kube.calls.flatMap(({ subresource, body }) => (subresource === "scale" && body !== undefined && "spec" in body ? [body.spec] : [])),
  };
}
