/** One kind of trial: from this size to that in one burst. */
export interface Series {
  /** Begins the names of its pools, queues and figures. */
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly messages: number;
  /** Pools that take turns at the trials: some wait until the operator believes their queues' zero while others are measured. */
  readonly pools: number;
  /** Of the trials asked for, this share. */
  readonly share: number;
}

const PER_REPLICA = 50;
const FINAL = 10;

export const SERIES: readonly Series[] = [
  { name: "from0", from: 0, to: FINAL, messages: FINAL * PER_REPLICA, pools: 12, share: 1 },
  { name: "from1", from: 1, to: FINAL, messages: FINAL * PER_REPLICA, pools: 12, share: 1 },
  { name: "to100", from: 0, to: 100, messages: 100 * PER_REPLICA, pools: 2, share: 0.1 },
];

export const poolNames = ({ name, pools }: Series): readonly string[] => Array.from({ length: pools }, (_, index) => `${name}-${index}`);

const object = (kind: string, name: string, spec: object): object => ({
  apiVersion: "longshore.dev/v1alpha1",
  kind,
  metadata: { name },
  spec,
});
const uri = (name: string) => ({ uriFrom: { secretKeyRef: { name } } });

/** The broker, the store, and what each series needs. A quota keeps pods away: what is measured is the decision, and nothing else shall be busy. */
export const objects = (): readonly object[] => [
  { apiVersion: "v1", kind: "ResourceQuota", metadata: { name: "no-pods" }, spec: { hard: { pods: "0" } } },
  object("Broker", "rabbitmq", uri("rabbitmq")),
  object("Store", "redis", uri("redis")),
  ...SERIES.flatMap((series) =>
    poolNames(series).flatMap((name) => [
      object("Queue", name, { brokerRef: { name: "rabbitmq" }, type: "quorum" }),
      object("WorkerPool", name, {
        brokerRef: { name: "rabbitmq" },
        storeRef: { name: "redis" },
        queues: [name],
        autoscaling: {
          minReplicas: series.from,
          // Not the size that the burst asks for: a limit would hide a size that is wrong.
          maxReplicas: 2 * series.to,
          backlogPerReplica: PER_REPLICA,
          cooldownSeconds: 0,
          scaleDown: { windowSeconds: 0 },
        },
      }),
    ]),
  ),
];
