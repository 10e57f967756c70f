import { expect, test } from "vitest";
import { type PoolStatusInputs, poolStatus } from "./status.ts";

const condition = (inputs: PoolStatusInputs) => poolStatus(inputs).conditions[0];

/** Three pods of three, two slots busy. */
const calm: PoolStatusInputs = {
  pool: {
    apiVersion: "longshore.dev/v1alpha1",
    kind: "WorkerPool",
    metadata: { name: "video", namespace: "default" },
    spec: {
      runtime: "longshore",
      brokerRef: { name: "rabbitmq" },
      queues: ["q"],
      concurrency: 2,
      autoscaling: {
        minReplicas: 0,
        maxReplicas: 10,
        backlogPerReplica: 50,
        scaleUp: { windowSeconds: 0 },
        scaleDown: { windowSeconds: 15, drainTimeoutSeconds: 0 },
        cooldownSeconds: 30,
        floors: [],
        mode: "Active",
      },
    },
  },
  deployment: {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "video", namespace: "default" },
    spec: {
      replicas: 3,
      selector: { matchLabels: { "longshore.dev/pool": "video" } },
      template: { metadata: { labels: {}, annotations: {} }, spec: { containers: [] } },
    },
    status: { replicas: 3, readyReplicas: 3, updatedReplicas: 3 },
  },
  pods: ["a", "b", "c"].map((name) => ({ apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "default" } })),
  outcome: { status: "True", reason: "Ready", message: "" },
  scaling: {
    reason: "BacklogThreshold",
    message: "backlog 120 at 50",
    replicas: 3,
    draining: 0,
    busy: 2,
    backlog: 120,
    lastScaleTime: undefined,
    next: { words: "more above a backlog of 150", time: undefined },
    observed: { ready: 118, inFlight: 2, trust: "fresh" },
  },
};
const scaling = (given: Partial<NonNullable<PoolStatusInputs["scaling"]>>) => ({ ...calm, scaling: { ...calm.scaling!, ...given } });
const crashing = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "a", namespace: "default" },
  status: {
    containerStatuses: [
      {
        name: "worker",
        ready: false,
        restartCount: 3,
        state: { waiting: { reason: "CrashLoopBackOff" } },
        lastState: { terminated: { exitCode: 1 } },
      },
    ],
  },
};

const cases: readonly [why: string, inputs: PoolStatusInputs, status: string, reason: string, says: string][] = [
  ["all is well: the decision is the reason", calm, "True", "BacklogThreshold", "backlog 120"],
  ["not looked at yet", { ...calm, outcome: undefined }, "Unknown", "Pending", "wait"],
  [
    "a failed reconcile is nearest to the cause",
    { ...calm, outcome: { status: "False", reason: "BrokerMissing", message: "no broker" }, pods: [crashing] },
    "False",
    "BrokerMissing",
    "no broker",
  ],
  ["pods that fail", { ...calm, pods: [crashing] }, "False", "PodsFailing", "pod a"],
  [
    "a backlog that cannot be read says what to do",
    scaling({ reason: "BacklogStale", message: "held at 3: the broker cannot be read" }),
    "False",
    "BacklogStale",
    "held at 3: the broker cannot be read. The size stays",
  ],
  [
    "a missing queue",
    scaling({ reason: "QueueMissing", message: "held at 3: queue q does not exist" }),
    "False",
    "QueueMissing",
    "queue q does not exist. Create the Queue",
  ],
  ["a hold that hurts nobody", scaling({ reason: "NewLeader", message: "watches" }), "True", "NewLeader", "watches"],
  [
    "pods are started and not ready",
    { ...calm, deployment: { ...calm.deployment!, status: { readyReplicas: 1 } } },
    "True",
    "ScalingUp",
    "backlog",
  ],
  ["pods are drained", scaling({ replicas: 2, draining: 1, message: "less" }), "True", "ScalingDown", "less"],
];
test.for(cases)("%s", ([, inputs, status, reason, says]) => {
  expect(condition(inputs)).toMatchObject({ status, reason, message: expect.stringContaining(says) });
});

test("the numbers are those of the columns, and equal inputs give equal statuses", () => {
  expect(poolStatus(calm).fields).toEqual({
    replicas: 3,
    readyReplicas: 3,
    desiredReplicas: 3,
    drainingReplicas: 0,
    busy: 2,
    backlog: 120,
    selector: "longshore.dev/pool=video",
    autoscaling: {
      reason: "BacklogThreshold",
      message: "backlog 120 at 50",
      replicas: 3,
      lastScaleTime: undefined,
      observed: { ready: 118, inFlight: 2, trust: "fresh" },
      next: "more above a backlog of 150",
      nextTime: undefined,
    },
  });
  expect(poolStatus(calm)).toEqual(poolStatus(structuredClone(calm)));
});

test("a pool without a Deployment or a decision says no more than it knows", () => {
  expect(poolStatus({ ...calm, deployment: undefined, pods: [], scaling: undefined }).fields).toMatchObject({
    replicas: 0,
    readyReplicas: 0,
    busy: undefined,
    backlog: undefined,
    autoscaling: undefined,
  });
});
