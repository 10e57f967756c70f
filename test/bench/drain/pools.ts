import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Cluster } from "../../cluster/cluster.ts";
import { kubectl } from "../../product/kubectl.ts";
import { apply, prepareNamespace } from "../../product/namespace.ts";

export interface DrainPool {
  readonly name: string;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly backlogPerReplica: number;
  readonly concurrency: number;
  readonly windowSeconds: number;
}

/** Too short for any task but the shortest: a pod that is told to stop while it works loses its work, and nothing hides it. */
export const GRACE_SECONDS = 2;

/** Small pools that differ: half of them go to zero, half have two slots per replica, windows of 0 to 2 s. */
export const drainPools = (count: number): readonly DrainPool[] =>
  Array.from({ length: count }, (_, index) => ({
    name: `p${index}`,
    minReplicas: index % 2,
    maxReplicas: 4,
    concurrency: 1 + (Math.floor(index / 2) % 2),
    backlogPerReplica: 4,
    windowSeconds: index % 3,
  }));

const object = (kind: string, name: string, spec: object): object => ({
  apiVersion: "longshore.dev/v1alpha1",
  kind,
  metadata: { name },
  spec,
});
const uri = (name: string) => ({ uriFrom: { secretKeyRef: { name } } });

const poolObjects = ({ name, ...pool }: DrainPool, env: readonly object[]): readonly object[] => [
  object("Queue", name, { brokerRef: { name: "rabbitmq" }, type: "quorum" }),
  object("WorkerPool", name, {
    brokerRef: { name: "rabbitmq" },
    storeRef: { name: "redis" },
    queues: [name],
    concurrency: pool.concurrency,
    tasks: { configMapRef: { name: "ledger" } },
    template: {
      spec: {
        terminationGracePeriodSeconds: GRACE_SECONDS,
        containers: [{ name: "worker", env, resources: { requests: { cpu: "1m", memory: "32Mi" } } }],
      },
    },
    autoscaling: {
      minReplicas: pool.minReplicas,
      maxReplicas: pool.maxReplicas,
      backlogPerReplica: pool.backlogPerReplica,
      cooldownSeconds: 0,
      scaleDown: { windowSeconds: pool.windowSeconds },
    },
  }),
];

/** A namespace with these pools, whose workers write to the ledger; resolves when their queues and Deployments are there. */
export async function applyPools(cluster: Cluster, namespace: string, ledgerPort: number, pools: readonly DrainPool[]): Promise<void> {
  await prepareNamespace(cluster, namespace);
  const code = await readFile(join(import.meta.dirname, "ledger-task.ts"), "utf8");
  const env = [
    { name: "LEDGER_HOST", value: cluster.hostAddress },
    { name: "LEDGER_PORT", value: String(ledgerPort) },
    { name: "LONGSHORE_LOG_LEVEL", value: "warn" },
  ];
  const items = [
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "ledger" }, data: { "ledger.ts": code } },
    object("Broker", "rabbitmq", uri("rabbitmq")),
    object("Store", "redis", uri("redis")),
    ...pools.flatMap((pool) => poolObjects(pool, env)),
  ];
  await apply(cluster, namespace, ["-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  await kubectl(cluster, ["--namespace", namespace, "wait", "--for=condition=Ready", "queues.longshore.dev", "--all", "--timeout=60s"]);
  const deployments = pools.map(({ name }) => `deployment/${name}`);
  await kubectl(cluster, ["--namespace", namespace, "wait", "--for=create", ...deployments, "--timeout=60s"]);
}
