import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "amqplib";
import { loadAccess } from "../../operator/adapters/kubernetes/access.ts";
import type { KubePort } from "../../operator/adapters/ports.ts";
import type { Deployment } from "../../operator/kinds/worker-pool/deployment.ts";
import { type WorkerPool, workerPoolKind } from "../../operator/kinds/worker-pool/schema.ts";
import { createCache } from "../../operator/runtime/cache/cache.ts";
import { systemClock } from "../../operator/runtime/clock.ts";
import { resourceOf } from "../../operator/runtime/define-kind.ts";
import { type PrivateBroker, redis, startBroker } from "../cluster/cluster.ts";
import { createRecordingLog } from "../fakes/log.ts";
import { type ApiProxy, startApiProxy } from "../integration/api-proxy.ts";
import { type OperatorProcess, startOperatorProcess } from "../integration/operator-process.ts";
import { type Manifest, manifests } from "../integration/topology-objects.ts";
import { BROKERS, SECRETS, startApi } from "../integration/topology-operator.ts";

const POOLS = resourceOf(workerPoolKind);
const STORES = { ...POOLS, plural: "stores", kind: "Store" };
const DEPLOYMENTS = { group: "apps", version: "v1", plural: "deployments", kind: "Deployment" };
const NAMESPACE = "default";

/** A pool and its queue, with hands on both. */
export interface StagedPool {
  /** Every size that its Deployment had, in order. */
  readonly sizes: () => readonly number[];
  readonly status: () => Promise<{ readonly reason: string | undefined; readonly message: string; readonly decided: string | undefined }>;
  readonly publish: (count: number) => Promise<void>;
  readonly declare: () => Promise<void>;
  readonly drop: () => Promise<void>;
  readonly purge: () => Promise<void>;
}

export interface Stage extends AsyncDisposable {
  readonly broker: PrivateBroker;
  /** Between the operator and the API server. */
  readonly proxy: ApiProxy;
  /** A pool of 10 waiting tasks per replica, which shrinks at once when it may. No pod ever comes up: sizes are all there is. */
  readonly kube: KubePort;
  /** SIGUSR2 moves its wall clock, see jumping-clock.ts. */
  readonly operator: OperatorProcess;
  /** `spec` takes the place of the pool's own size. */
  readonly pool: (name: string, spec?: object) => Promise<StagedPool>;
  /** Classic queues, by hundreds. */
  readonly declare: (queues: readonly string[]) => Promise<void>;
  /** One message to each. */
  readonly send: (queues: readonly string[]) => Promise<void>;
  readonly remove: (queues: readonly string[]) => Promise<void>;
  /** What the Broker's Secret and spec say of the broker. */
  readonly lead: (uri: string, spec?: object) => Promise<void>;
}

/** The whole operator as a process, on an API server, a broker and a Redis that are real; nothing runs the pods. */
export async function openStage(name: string): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const broker = stack.use(await startBroker({ version: "4.0", name }));
  const store = await redis();
  const { kube, server } = stack.use(await startApi());
  const proxy = stack.use(await startApiProxy(await loadAccess({ KUBECONFIG: server.kubeconfig })));
  const folder = await mkdtemp(join(tmpdir(), "longshore-stage-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const kubeconfig = join(folder, "proxied.conf");
  const config = JSON.parse(await readFile(server.kubeconfig, "utf8")) as { clusters: { cluster: object }[] };
  const clusters = config.clusters.map((cluster) => ({
    ...cluster,
    cluster: { server: proxy.access.server.href, "insecure-skip-tls-verify": true },
  }));
  await writeFile(kubeconfig, JSON.stringify({ ...config, clusters }));

  const make = manifests(NAMESPACE);
  const lead = async (uri: string, spec: object = { prometheusUrl: "http://127.0.0.1:1" }): Promise<void> => {
    await kube.apply(SECRETS, make.secret(uri, broker.managementUri));
    await kube.apply(BROKERS, make.broker(spec));
  };
  await lead(broker.uri);
  await kube.apply(SECRETS, { ...make.secret(store.uri, ""), metadata: { namespace: NAMESPACE, name: "redis" } });
  const uriFrom = { secretKeyRef: { name: "redis", key: "uri" } };
  const of = (kind: string, called: string, spec: object): Manifest => ({
    apiVersion: make.broker().apiVersion,
    kind,
    metadata: { namespace: NAMESPACE, name: called },
    spec,
  });
  await kube.apply(STORES, of("Store", "redis", { uriFrom }));

  const deployments = stack.use(
    createCache<Deployment>({
      kube,
      resource: DEPLOYMENTS,
      selection: {},
      clock: systemClock,
      random: Math.random,
      log: createRecordingLog(),
    }),
  );
  deployments.start();
  const operator = stack.use(
    startOperatorProcess(
      {
        KUBECONFIG: kubeconfig,
        WATCH_NAMESPACES: NAMESPACE,
        POD_NAMESPACE: NAMESPACE,
        POD_NAME: "operator",
        WORKER_IMAGE: "longshore-worker:test",
        HEALTH_PORT: "0",
        LOG_LEVEL: "info",
      },
      ["--import", new URL("jumping-clock.ts", import.meta.url).href, "operator/main.ts"],
    ),
  );

  /** A connection for one use: the broker comes and goes. */
  const hand = async <T>(
    use: (channel: Awaited<ReturnType<Awaited<ReturnType<typeof connect>>["createConfirmChannel"]>>) => Promise<T>,
  ) => {
    const model = await connect(broker.uri);
    try {
      return await use(await model.createConfirmChannel());
    } finally {
      await model.close();
    }
  };

  const pool = async (queue: string, size?: object): Promise<StagedPool> => {
    const sizes: number[] = [];
    deployments.subscribe(({ key, object }) => {
      const size = object?.spec.replicas;
      if (key === `${NAMESPACE}/${queue}` && size !== undefined && sizes.at(-1) !== size) sizes.push(size);
    });
    const declare = () => hand((channel) => channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": "quorum" } }));
    await declare();
    const autoscaling = { minReplicas: 0, maxReplicas: 50, backlogPerReplica: 10, scaleDown: { windowSeconds: 0 }, cooldownSeconds: 0 };
    const spec = { brokerRef: { name: "rabbitmq" }, storeRef: { name: "redis" }, queues: [queue], ...(size ?? { autoscaling }) };
    await kube.apply(POOLS, of("WorkerPool", queue, spec));
    return {
      sizes: () => sizes,
      async status() {
        const found = await kube.get<WorkerPool>(POOLS, NAMESPACE, queue);
        const ready = found?.status?.conditions?.find(({ type }) => type === "Ready");
        return { reason: ready?.reason, message: ready?.message ?? "", decided: found?.status?.autoscaling?.reason };
      },
      publish: (count) =>
        hand(async (channel) => {
          for (let sent = 0; sent < count; sent++) channel.sendToQueue(queue, Buffer.from("x"), { persistent: true });
          await channel.waitForConfirms();
        }),
      declare: async () => void (await declare()),
      drop: () => hand(async (channel) => void (await channel.deleteQueue(queue))),
      purge: () => hand(async (channel) => void (await channel.purgeQueue(queue))),
    };
  };
  const declare = (queues: readonly string[]) =>
    hand(async (channel) => void (await Promise.all(queues.map((queue) => channel.assertQueue(queue, { durable: true })))));
  const remove = (queues: readonly string[]) =>
    hand(async (channel) => void (await Promise.all(queues.map((queue) => channel.deleteQueue(queue)))));
  const send = (queues: readonly string[]) =>
    hand(async (channel) => {
      for (const queue of queues) channel.sendToQueue(queue, Buffer.from("x"), { persistent: true });
      await channel.waitForConfirms();
    });
  const owned = stack.move();
  return { broker, proxy, kube, operator, pool, declare, send, remove, lead, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
