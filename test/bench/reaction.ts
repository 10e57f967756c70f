import { setTimeout as delay } from "node:timers/promises";
import amqp from "amqplib";
import { up } from "../cluster/cluster.ts";
import { buildImages } from "../product/images.ts";
import { kubectl } from "../product/kubectl.ts";
import { apply, prepareNamespace, removeNamespace } from "../product/namespace.ts";
import { installOperator } from "../product/operator.ts";
import { quantile, type Report } from "./report.ts";
import { watchScale } from "./watch-scale.ts";

const NAMESPACE = "bench-reaction";
const MESSAGES = 500;
const PER_REPLICA = 50;
const FINAL = MESSAGES / PER_REPLICA;

/** Pods that no node takes: the bench measures the operator's decision, and the machine is not busy with starting workers. */
const pool = (name: string, minReplicas: number): object[] => [
  { apiVersion: "longshore.dev/v1alpha1", kind: "Queue", metadata: { name }, spec: { brokerRef: { name: "rabbitmq" }, type: "quorum" } },
  {
    apiVersion: "longshore.dev/v1alpha1",
    kind: "WorkerPool",
    metadata: { name },
    spec: {
      brokerRef: { name: "rabbitmq" },
      storeRef: { name: "redis" },
      queues: [name],
      template: { spec: { nodeSelector: { "longshore.dev/bench": "no-such-node" } } },
      autoscaling: { minReplicas, maxReplicas: 100, backlogPerReplica: PER_REPLICA, cooldownSeconds: 0, scaleDown: { windowSeconds: 0 } },
    },
  },
];

const SHARED = [
  {
    apiVersion: "longshore.dev/v1alpha1",
    kind: "Broker",
    metadata: { name: "rabbitmq" },
    spec: { uriFrom: { secretKeyRef: { name: "rabbitmq" } } },
  },
  {
    apiVersion: "longshore.dev/v1alpha1",
    kind: "Store",
    metadata: { name: "redis" },
    spec: { uriFrom: { secretKeyRef: { name: "redis" } } },
  },
];

/**
 * The queue jumps from 0 to 500 messages at a random moment; how long until the Deployment's `spec.replicas` has its final value, and in
 * how many patches. The clock starts when the broker has confirmed the last message and stops when a watcher sees the new value.
 */
export async function reaction({ trials = 30 }: { trials: number | undefined }): Promise<Report> {
  const cluster = await up();
  await installOperator(cluster, await buildImages(cluster));
  await prepareNamespace(cluster, NAMESPACE);
  const connection = await amqp.connect(cluster.broker.uri);
  const series: Record<string, number[]> = {};
  let patchesMax = 0;
  try {
    const channel = await connection.createConfirmChannel();
    for (const from of [0, 1]) {
      const name = `from-${from}`;
      await apply(
        cluster,
        NAMESPACE,
        ["-f", "-"],
        JSON.stringify({ apiVersion: "v1", kind: "List", items: [...SHARED, ...pool(name, from)] }),
      );
      await kubectl(cluster, ["--namespace", NAMESPACE, "wait", "--for=condition=Ready", `queues.longshore.dev/${name}`, "--timeout=60s"]);
      await using scale = await watchScale(cluster, NAMESPACE, name);
      const times: number[] = [];
      for (let trial = 0; trial < trials; trial += 1) {
        await scale.until(from, 60_000);
        await delay(1_500 + Math.random() * 1_000); // random phase against the operator's clock
        const before = scale.changes().length;
        for (let at = 0; at < MESSAGES; at += 1) channel.sendToQueue(name, Buffer.from("{}"), { persistent: true });
        await channel.waitForConfirms();
        const start = performance.now();
        await scale.until(FINAL, 30_000);
        const changes = scale.changes().slice(before);
        times.push(Math.max(0, (changes.at(-1)?.at ?? Number.NaN) - start));
        patchesMax = Math.max(patchesMax, changes.length);
        await channel.purgeQueue(name);
      }
      series[`from${from}_ms`] = times;
    }
  } finally {
    await connection.close();
    await removeNamespace(cluster, NAMESPACE);
  }
  const figures = Object.fromEntries(
    Object.entries(series).flatMap(([name, times]) => [
      [name.replace("_ms", "_p50_ms"), quantile(times, 0.5)],
      [name.replace("_ms", "_p99_ms"), quantile(times, 0.99)],
    ]),
  );
  return {
    bench: "reaction",
    figures: { ...figures, patches_max: patchesMax },
    peers: {
      "KEDA 2.21 + HPA, defaults, published with the issue, not measured in this run": {
        first_replica_s: [6, 29],
        ten_replicas_s: [37, 59],
      },
    },
    settings: {
      trials,
      messages: MESSAGES,
      backlogPerReplica: PER_REPLICA,
      broker: `RabbitMQ ${cluster.broker.version}, quorum queue`,
      operator: "installed by the chart, 2 replicas",
    },
    series,
  };
}
