import type { Cluster } from "../cluster/cluster.ts";
import { kubectl } from "./kubectl.ts";

/** Makes a server outside of the cluster known inside under a service name, with the ports that clients expect. */
const outsideService = (
  name: string,
  address: string,
  ports: Readonly<Record<string, readonly [port: number, target: number]>>,
): object[] => [
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name },
    spec: { ports: Object.entries(ports).map(([port, [number, target]]) => ({ name: port, port: number, targetPort: target })) },
  },
  {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: `${name}-outside`, labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    ports: Object.entries(ports).map(([port, [, target]]) => ({ name: port, port: target })),
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
  },
];

/**
 * A namespace that enforces restricted pod security, with the Services and Secrets `rabbitmq` and `redis` that the contract manifest
 * names. They lead to the cluster's own broker and store.
 */
export async function prepareNamespace(cluster: Cluster, namespace: string): Promise<void> {
  const broker = new URL(cluster.broker.podUri);
  const redis = new URL(cluster.redis.podUri);
  const management = new URL(cluster.broker.podManagementUri);
  const at = (uri: URL, host: string, port: number) => {
    const moved = new URL(uri);
    moved.hostname = host;
    moved.port = String(port);
    return moved.href;
  };
  const secret = (name: string, uri: string) => ({ apiVersion: "v1", kind: "Secret", metadata: { name }, stringData: { uri } });
  const items = [
    ...outsideService("rabbitmq", broker.hostname, { amqp: [5672, Number(broker.port)], management: [15672, Number(management.port)] }),
    ...outsideService("redis", redis.hostname, { redis: [6379, Number(redis.port)] }),
    secret("rabbitmq", at(broker, `rabbitmq.${namespace}.svc`, 5672)),
    secret("redis", at(redis, `redis.${namespace}.svc`, 6379)),
  ];
  const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
  await kubectl(
    cluster,
    ["apply", "-f", "-"],
    JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, labels } }),
  );
  await apply(cluster, namespace, ["-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
}

/** `kubectl apply` in a namespace; `-f -` reads `input`. */
export const apply = (cluster: Cluster, namespace: string, args: readonly string[], input?: string) =>
  kubectl(cluster, ["--namespace", namespace, "apply", "--server-side", "--force-conflicts", ...args], input);

/**
 * Removes a namespace, its objects first: while the Secrets are still there the operator can clean up on the broker. Without this the
 * API server deletes in any order, and a queue may stay behind that the next run then finds.
 */
export async function removeNamespace(cluster: Cluster, namespace: string): Promise<void> {
  for (const kinds of ["workerpools", "queues.longshore.dev,exchanges.longshore.dev", "brokers,stores"]) {
    await kubectl(cluster, ["--namespace", namespace, "delete", kinds, "--all", "--ignore-not-found", "--timeout=60s"]);
  }
  await kubectl(cluster, ["delete", "namespace", namespace, "--ignore-not-found", "--wait=false"]);
}
