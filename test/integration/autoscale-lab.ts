import { randomUUID } from "node:crypto";
import { type ConfirmChannel, connect } from "amqplib";
import { Registry } from "prom-client";
import { loadAccess } from "../../operator/adapters/kubernetes/access.ts";
import { createKube } from "../../operator/adapters/kubernetes/kube.ts";
import { openSensing } from "../../operator/adapters/rabbitmq/sensing.ts";
import { createStore } from "../../operator/adapters/redis/store.ts";
import { createAutoscaleMetrics } from "../../operator/autoscale/metrics.ts";
import { type Autoscaler, createAutoscaler } from "../../operator/autoscale/start.ts";
import { type Deployment, deploymentOf } from "../../operator/kinds/worker-pool/deployment.ts";
import type { Pod } from "../../operator/kinds/worker-pool/pods.ts";
import type { WorkerPool } from "../../operator/kinds/worker-pool/schema.ts";
import { type Cache, createCache } from "../../operator/runtime/cache/cache.ts";
import { systemClock } from "../../operator/runtime/clock.ts";
import type { KubeObject } from "../../operator/runtime/object.ts";
import type { EventInput } from "../../operator/runtime/truth/events.ts";
import { createStatusWriter } from "../../operator/runtime/truth/status.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { endpointOfBroker } from "../contract/broker-endpoint.ts";
import { createRecordingLog } from "../fakes/log.ts";
import { kubectl } from "../product/kubectl.ts";
import { prepareNamespace } from "../product/namespace.ts";

const POOLS = { group: "longshore.dev", version: "v1alpha1", plural: "workerpools", kind: "WorkerPool" };
const DEPLOYMENTS = { group: "apps", version: "v1", plural: "deployments", kind: "Deployment" };
const PODS = { group: "", version: "v1", plural: "pods", kind: "Pod" };
const NAME = "pool";

export type AutoscaleLab = Awaited<ReturnType<typeof openAutoscaleLab>>;

/**
 * One pool on the real cluster, broker and Redis, with the autoscaler in this process. The pool itself is in memory only, so that no CRD is
 * needed; its Deployment, scale and pods are real. `template` is merged over the pods.
 */
export async function openAutoscaleLab(
  cluster: Cluster,
  workerImage: string,
  autoscaling: NonNullable<WorkerPool["spec"]["autoscaling"]>,
  template: Record<string, unknown> = {},
) {
  const namespace = `autoscale-${randomUUID().slice(0, 8)}`;
  const queue = `${namespace}.q`;
  const kube = createKube(await loadAccess({ KUBECONFIG: cluster.kubeconfig }), { random: Math.random });
  await prepareNamespace(cluster, namespace);
  const model = await connect(cluster.broker.uri);
  const channel: ConfirmChannel = await model.createConfirmChannel();
  await channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": "quorum" } });

  const pool: WorkerPool = {
    apiVersion: "longshore.dev/v1alpha1",
    kind: "WorkerPool",
    metadata: { name: NAME, namespace },
    spec: {
      runtime: "longshore",
      brokerRef: { name: "rabbitmq" },
      storeRef: { name: "redis" },
      queues: [queue],
      concurrency: 2,
      tasks: { configMapRef: { name: "tasks" } },
      template,
      autoscaling,
    },
  };
  const broker = { name: "rabbitmq", key: "uri" };
  const store = { name: "redis", key: "uri" };
  const inputs = { workerImage, inputsDigest: "1", replicas: autoscaling.minReplicas, queues: [queue], broker, store };
  await kube.apply(DEPLOYMENTS, deploymentOf(pool, inputs));

  const clock = systemClock;
  const log = createRecordingLog();
  const watched = { kube, selection: { namespace, labelSelector: "longshore.dev/pool" }, clock, random: Math.random, log };
  const deployments = createCache<Deployment>({ ...watched, resource: DEPLOYMENTS });
  const pods = createCache<Pod>({ ...watched, resource: PODS });
  const pools: Cache<WorkerPool> = {
    ...createCache<WorkerPool>({ ...watched, resource: POOLS }),
    get: () => pool,
    list: () => [pool],
  };
  /** Every size that the Deployment had, in order. */
  const sizes: { readonly replicas: number; readonly at: number }[] = [];
  deployments.subscribe(({ object }) => {
    const replicas = object?.spec.replicas ?? 0;
    if (sizes.at(-1)?.replicas !== replicas) sizes.push({ replicas, at: performance.now() });
  });
  for (const cache of [deployments, pods]) cache.start();
  await Promise.all([deployments, pods].map((cache) => cache.synced(AbortSignal.timeout(10_000))));

  const endpoint = endpointOfBroker(cluster.broker);
  const storeEndpoint = { uri: cluster.redis.uri, display: "redis" };
  const events: EventInput[] = [];
  const statuses: KubeObject[] = [];
  const newOperator = (): Autoscaler =>
    createAutoscaler({
      caches: { pools, deployments, pods },
      kube,
      endpointOf: () => endpoint,
      storeEndpointOf: () => storeEndpoint,
      connectBroker: (to) => openSensing(to, { random: Math.random }),
      connectStore: (to) => createStore(to),
      outcomeOf: () => ({ status: "True", reason: "Ready", message: "" }),
      status: createStatusWriter({
        clock,
        kube: {
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is applied is what is returned
          apply: <T extends KubeObject>(_: unknown, object: KubeObject) => Promise.resolve((statuses.push(object), object) as unknown as T),
        },
      }),
      events: { record: (event) => void events.push(event) },
      metrics: createAutoscaleMetrics(new Registry()),
      clock,
      log,
    });

  return {
    namespace,
    queue,
    kube,
    channel,
    pods,
    sizes,
    events,
    log,
    newOperator,
    size: () => deployments.get(`${namespace}/${NAME}`)?.spec.replicas,
    /** Sends tasks of `ms` each; returns their ids. */
    async send(task: string, times: readonly number[]): Promise<readonly string[]> {
      const ids = times.map((ms) => {
        const id = randomUUID();
        const headers = { lang: "py", task, id, root_id: id, parent_id: null, group: null, retries: 0 };
        const body = [[], { ms }, { callbacks: null, errbacks: null, chain: null, chord: null }];
        const options = { contentType: "application/json", contentEncoding: "utf-8", correlationId: id, persistent: true, headers };
        channel.sendToQueue(queue, Buffer.from(JSON.stringify(body)), options);
        return id;
      });
      await channel.waitForConfirms();
      return ids;
    },
    async [Symbol.asyncDispose]() {
      for (const cache of [deployments, pods]) await cache[Symbol.asyncDispose]();
      await channel.deleteQueue(queue);
      await model.close();
      await kubectl(cluster, ["delete", "namespace", namespace, "--wait=false"]);
      kube[Symbol.dispose]();
    },
  };
}
