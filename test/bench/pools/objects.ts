import { GROUP, VERSION } from "../../../operator/runtime/define-kind.ts";
import type { KubeObject } from "../../../operator/runtime/object.ts";

const apiVersion = `${GROUP}/${VERSION}`;

export const NAMESPACE = "bench-pools";
export const PER_REPLICA = 1;
export const MAX_REPLICAS = 10;

export interface Sizes {
  readonly pools: number;
  readonly queuesPerPool: number;
}

export const poolName = (index: number): string => `pool-${String(index).padStart(4, "0")}`;

/** The queues of one pool, in order. */
export const queueNames = (index: number, { queuesPerPool }: Pick<Sizes, "queuesPerPool">): readonly string[] =>
  Array.from({ length: queuesPerPool }, (_, at) => `${poolName(index)}-${at}`);

const object = (kind: string, name: string, spec: object): KubeObject =>
  ({ apiVersion, kind, metadata: { name, namespace: NAMESPACE }, spec }) as KubeObject;

/** Where the broker and the store are. The Secrets hold the URIs. */
export const backends = (uris: { readonly broker: string; readonly management: string; readonly store: string }): readonly KubeObject[] => [
  { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } },
  {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "backends", namespace: NAMESPACE },
    stringData: { broker: uris.broker, management: uris.management, store: uris.store },
  } as KubeObject,
  object("Broker", "rabbitmq", {
    uriFrom: { secretKeyRef: { name: "backends", key: "broker" } },
    managementFrom: { secretKeyRef: { name: "backends", key: "management" } },
  }),
  object("Store", "redis", { uriFrom: { secretKeyRef: { name: "backends", key: "store" } } }),
];

export const queues = (sizes: Sizes): readonly KubeObject[] =>
  Array.from({ length: sizes.pools }, (_, index) => queueNames(index, sizes))
    .flat()
    .map((name) => object("Queue", name, { brokerRef: { name: "rabbitmq" }, type: "quorum" }));

/** Every pool at zero, and back to zero as soon as its queues are empty. */
export const pools = (sizes: Sizes): readonly KubeObject[] =>
  Array.from({ length: sizes.pools }, (_, index) =>
    object("WorkerPool", poolName(index), {
      brokerRef: { name: "rabbitmq" },
      storeRef: { name: "redis" },
      queues: queueNames(index, sizes),
      autoscaling: {
        minReplicas: 0,
        maxReplicas: MAX_REPLICAS,
        backlogPerReplica: PER_REPLICA,
        cooldownSeconds: 0,
        scaleDown: { windowSeconds: 0 },
      },
    }),
  );
