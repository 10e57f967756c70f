import { readFile } from "node:fs/promises";
import { join } from "node:path";
import amqp from "amqplib";
import { expect } from "vitest";
import { killOperator } from "../../bench/drain/kill-operator.ts";
import { openLedger } from "../../bench/drain/ledger.ts";
import { send } from "../../bench/drain/load.ts";
import { redeliveries } from "../../bench/drain/redeliveries.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { kubectl } from "../../product/kubectl.ts";
import { apply, prepareNamespace, removeNamespace } from "../../product/namespace.ts";

const TASKS = join(import.meta.dirname, "../../bench/drain/ledger-task.ts");

interface PodView {
  readonly metadata: {
    readonly name: string;
    readonly deletionTimestamp?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

export interface LabPool {
  /** Of the WorkerPool's spec, beside what every pool of these tests has. */
  readonly spec: object;
  /** The worker's container, beside its environment. */
  readonly container?: { readonly env?: readonly object[] };
  readonly podSpec?: object;
  readonly autoscaling?: object;
}

export type DrainLab = Awaited<ReturnType<typeof openDrainLab>>;

const of = (kind: string, name: string, spec: object): object => ({ apiVersion: "longshore.dev/v1alpha1", kind, metadata: { name }, spec });
const uri = (name: string) => ({ uriFrom: { secretKeyRef: { name } } });
const file = async (name: string) => readFile(join(import.meta.dirname, name), "utf8");

/** One pool `pool` of one queue in a namespace of its own, whose workers write to a ledger, with the installed operator. */
export async function openDrainLab(cluster: Cluster, namespace: string, { spec, container = {}, podSpec = {}, autoscaling = {} }: LabPool) {
  const ledger = await openLedger();
  await prepareNamespace(cluster, namespace);
  const data = {
    "ledger.ts": await readFile(TASKS, "utf8"),
    "ledger_tasks.py": await file("ledger_tasks.py"),
    "consumer.py": await file("consumer.py"),
  };
  const env = [
    { name: "LEDGER_HOST", value: cluster.hostAddress },
    { name: "LEDGER_PORT", value: String(ledger.port) },
  ];
  const worker = { name: "worker", resources: { requests: { cpu: "1m", memory: "32Mi" } }, ...container };
  const items = [
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "ledger" }, data },
    of("Broker", "rabbitmq", uri("rabbitmq")),
    of("Store", "redis", uri("redis")),
    of("Queue", namespace, { brokerRef: { name: "rabbitmq" }, type: "quorum" }),
    of("WorkerPool", "pool", {
      brokerRef: { name: "rabbitmq" },
      queues: [namespace],
      concurrency: 1,
      autoscaling: {
        minReplicas: 0,
        maxReplicas: 3,
        backlogPerReplica: 2,
        cooldownSeconds: 0,
        scaleDown: { windowSeconds: 0 },
        ...autoscaling,
      },
      ...spec,
      template: { spec: { ...podSpec, containers: [{ ...worker, env: [...env, ...(container.env ?? [])] }] } },
    }),
  ];
  await apply(cluster, namespace, ["-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  await kubectl(cluster, [
    "--namespace",
    namespace,
    "wait",
    "--for=condition=Ready",
    `queues.longshore.dev/${namespace}`,
    "--timeout=150s",
  ]);
  const connection = await amqp.connect(cluster.broker.uri);
  const channel = await connection.createConfirmChannel();

  const pods = async (): Promise<readonly PodView[]> => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API server's own answer
    const list = JSON.parse(await kubectl(cluster, ["--namespace", namespace, "get", "pods", "--output", "json"])) as { items: PodView[] };
    return list.items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  };
  const hasEnded = (task: string): boolean => ledger.entries.some((entry) => entry.event === "end" && entry.task === task);
  const lab = {
    ledger,
    namespace,
    pods,
    names: async () => (await pods()).map(({ metadata }) => metadata.name).toSorted(),
    draining: async () =>
      (await pods()).flatMap(({ metadata }) => (metadata.annotations?.["longshore.dev/draining"] === undefined ? [] : [metadata.name])),
    kubectl: (...args: readonly string[]) => kubectl(cluster, ["--namespace", namespace, ...args]),
    /** POSTs an object to a path of the API. */
    post: (path: string, object: object) => kubectl(cluster, ["create", "--raw", path, "-f", "-"], JSON.stringify(object)),
    send: (ms: readonly number[]) => send(channel, namespace, ms),
    killLeader: async () => expect(await killOperator(cluster, () => 0)).toBe("leader"),
    redelivered: () => redeliveries(cluster, [namespace]),
    running: () => ledger.runningIn("pool"),
    /** Pods in which a task runs. */
    busy: () =>
      [...new Set(ledger.entries.flatMap((entry) => (entry.event === "start" && !hasEnded(entry.task) ? [entry.pod] : [])))].toSorted(),
    release: (...pods: readonly string[]) => ledger.release(pods),
    /** Polls until it is so, for at most so many seconds. */
    until: (what: string, value: () => unknown, wanted: unknown, seconds = 150) =>
      expect.poll(value, { timeout: seconds * 1_000, interval: 200, message: what }).toEqual(wanted),
    async [Symbol.asyncDispose]() {
      await removeNamespace(cluster, namespace);
      await connection.close();
      await ledger[Symbol.asyncDispose]();
    },
  };
  return lab;
}
