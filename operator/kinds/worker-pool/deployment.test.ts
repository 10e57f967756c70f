import { describe, expect, test } from "vitest";
import { type WorkerEnv, workerEnvSchema } from "../../../worker/contract/env.ts";
import { INPUTS_ANNOTATION, POOL_LABEL, WORKER_CONTAINER } from "../../../worker/contract/names.ts";
import { type Deployment, type DeploymentInputs, deploymentOf, replicasOf } from "./deployment.ts";
import { type WorkerPool, workerPoolKind } from "./schema.ts";

const pool = (spec: object = {}): WorkerPool => ({
  apiVersion: "longshore.dev/v1alpha1",
  kind: "WorkerPool",
  metadata: { name: "video", namespace: "media", uid: "u1" },
  spec: workerPoolKind.spec.parse({ brokerRef: { name: "rabbitmq" }, storeRef: { name: "redis" }, queues: ["video_queue"], ...spec }),
});
const inputs: DeploymentInputs = {
  workerImage: "longshore/worker:1",
  inputsDigest: "d1",
  replicas: 3,
  queues: ["video_queue", "other"],
  broker: { name: "rabbitmq", key: "uri" },
  store: { name: "redis", key: "uri" },
};
const worker = ({ spec }: Deployment) => {
  const found = spec.template.spec.containers.find(({ name }) => name === WORKER_CONTAINER);
  if (found === undefined) throw new Error("no worker");
  return found;
};
const env = (deployment: Deployment) =>
  Object.fromEntries((worker(deployment).env ?? []).map(({ name, value, valueFrom }) => [name, value ?? valueFrom]));
const withWorker = (container: object, spec: object = {}) => ({
  template: { spec: { ...spec, containers: [{ name: WORKER_CONTAINER, ...container }] } },
});

describe("the environment", () => {
  test("is what the worker's contract parses", () => {
    const given = env(deploymentOf(pool({ concurrency: 2 }), inputs));
    const fromKubernetes = {
      POD_NAME: "video-1",
      LONGSHORE_NAMESPACE: "media",
      CELERY_BROKER_URL: "amqp://b",
      CELERY_RESULT_BACKEND: "redis://s",
    };
    expect(Object.keys(given).filter((name) => !(name in workerEnvSchema.shape))).toEqual([]);
    expect(workerEnvSchema.parse({ ...given, ...fromKubernetes })).toMatchObject({
      LONGSHORE_POOL: "video",
      LONGSHORE_QUEUES: ["video_queue", "other"],
      LONGSHORE_CONCURRENCY: 2,
      LONGSHORE_DRAIN_SECONDS: 60,
    } satisfies Partial<WorkerEnv>);
  });
  test("delayed delivery is told as the worker reads it, and only of the pool's queues", () => {
    const delayedDelivery = [{ queue: "video_queue", routingKey: "video.#" }, { queue: "other" }];
    const given = env(deploymentOf(pool({ delayedDelivery }), inputs));
    expect(workerEnvSchema.shape.LONGSHORE_DELAYED_ROUTES.parse(given["LONGSHORE_DELAYED_ROUTES"])).toEqual([
      ["video_queue", "video.#"],
      ["other", "other"],
    ]);
    expect(() => deploymentOf(pool({ delayedDelivery: [{ queue: "nobody" }] }), inputs)).toThrow(
      "spec.delayedDelivery[0].queue is not among spec.queues",
    );
  });
  test("takes the URLs from the Secrets that Broker and Store name, never by value", () => {
    expect(env(deploymentOf(pool(), inputs))).toMatchObject({
      CELERY_BROKER_URL: { secretKeyRef: { name: "rabbitmq", key: "uri" } },
      CELERY_RESULT_BACKEND: { secretKeyRef: { name: "redis", key: "uri" } },
      POD_NAME: { fieldRef: { fieldPath: "metadata.name" } },
    });
  });
  test("a time limit of the pool is the worker's, and decides how long it may drain", () => {
    const limited = deploymentOf(pool({ timeLimitSeconds: 600 }), inputs);
    expect(env(limited)).toMatchObject({ LONGSHORE_TIME_LIMIT: "600", LONGSHORE_DRAIN_SECONDS: "600" });
    expect(limited.spec.template.spec["terminationGracePeriodSeconds"]).toBe(605);
    const own = deploymentOf(pool({ timeLimitSeconds: 600, template: { spec: { terminationGracePeriodSeconds: 30 } } }), inputs);
    expect(own.spec.template.spec["terminationGracePeriodSeconds"]).toBe(30);
    expect(env(own)).toMatchObject({ LONGSHORE_DRAIN_SECONDS: "25" });
  });
  test("says how slots run tasks, how long, when they acknowledge, and where the dead go", () => {
    const spec = {
      pool: { type: "processes", maxTasksPerChild: 100, maxMemoryPerChild: "256Mi" },
      softTimeLimitSeconds: 30,
      taskEvents: true,
      acks: { late: false },
      prefetchMultiplier: 4,
      deliveryLimit: 5,
      deadLetter: { exchange: "dead", routingKey: "orders" },
    };
    const want = {
      LONGSHORE_WORKER_POOL: "processes",
      LONGSHORE_MAX_TASKS_PER_CHILD: "100",
      LONGSHORE_MAX_MEMORY_MB_PER_CHILD: "256",
      LONGSHORE_SOFT_TIME_LIMIT: "30",
      LONGSHORE_EVENTS: "true",
      CELERY_TASK_ACKS_LATE: "false",
      CELERY_TASK_ACKS_ON_FAILURE_OR_TIMEOUT: "true",
      LONGSHORE_PREFETCH_MULTIPLIER: "4",
      LONGSHORE_DELIVERY_LIMIT: "5",
      LONGSHORE_DEAD_LETTER_EXCHANGE: "dead",
      LONGSHORE_DEAD_LETTER_ROUTING_KEY: "orders",
    };
    expect(env(deploymentOf(pool(spec), inputs))).toMatchObject(want);
    const plain = env(deploymentOf(pool(), inputs));
    expect(Object.keys(want).filter((name) => name in plain)).toEqual([]);
  });
  test("keeps a dollar in a queue's name from being expanded", () => {
    expect(env(deploymentOf(pool(), { ...inputs, queues: ["a$(POD_NAME)"] }))["LONGSHORE_QUEUES"]).toBe("a$$(POD_NAME)");
  });
  test("of a pool without a store names none", () => {
    const { store: _store, ...without } = inputs;
    expect(env(deploymentOf(pool({ runtime: "custom", storeRef: undefined, ...withWorker({ image: "x" }) }), without))).not.toHaveProperty(
      "CELERY_RESULT_BACKEND",
    );
  });
});

describe("pods of the worker image", () => {
  const { template } = deploymentOf(pool({ tasks: { configMapRef: { name: "video-tasks" } } }), inputs).spec;
  test("meet the restricted pod security standard", () => {
    expect(template.spec).toMatchObject({
      securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
      automountServiceAccountToken: false,
      containers: [{ securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } } }],
    });
  });
  test("read the tasks from the ConfigMap and write to /tmp only", () => {
    expect(template.spec["volumes"]).toEqual([
      { name: "tmp", emptyDir: {} },
      { name: "tasks", configMap: { name: "video-tasks" } },
    ]);
    expect(template.spec.containers[0]?.["volumeMounts"]).toEqual([
      { name: "tmp", mountPath: "/tmp" },
      { name: "tasks", mountPath: "/app/tasks", readOnly: true },
    ]);
  });
  test("of a pool without a ConfigMap use the tasks in the image", () => {
    expect(deploymentOf(pool(), inputs).spec.template.spec["volumes"]).toEqual([{ name: "tmp", emptyDir: {} }]);
  });
});

describe("the user's template", () => {
  test("gives a Celery image its command and keeps our environment for it to refer to", () => {
    const command = ["celery", "worker", "-n", "celery@$(POD_NAME)", "-Q", "$(LONGSHORE_QUEUES)"];
    const made = deploymentOf(
      pool({ runtime: "celery", ...withWorker({ image: "shop:1", command, env: [{ name: "EXTRA", value: "1" }] }) }),
      inputs,
    );
    expect(worker(made)).toMatchObject({ image: "shop:1", command });
    expect(Object.keys(env(made)).at(-1)).toBe("EXTRA");
    expect(worker(made)).not.toHaveProperty("securityContext");
    expect(worker(made)).not.toHaveProperty("livenessProbe");
  });
  test("cannot take the pods away from the selector, nor hide changed inputs", () => {
    const labels = { [POOL_LABEL]: "other", team: "media" };
    const made = deploymentOf(pool({ template: { metadata: { labels, annotations: { [INPUTS_ANNOTATION]: "x" } } } }), inputs);
    expect(made.spec.template.metadata.labels).toMatchObject({ [POOL_LABEL]: "video", team: "media" });
    expect(made.spec.template.metadata.annotations[INPUTS_ANNOTATION]).toBe("d1");
    expect(made.spec.selector.matchLabels).toEqual({ [POOL_LABEL]: "video" });
  });
  test("decides with its grace period how long a worker may drain", () => {
    const made = deploymentOf(pool({ template: { spec: { terminationGracePeriodSeconds: 3600 } } }), inputs);
    expect(made.spec.template.spec["terminationGracePeriodSeconds"]).toBe(3600);
    expect(env(made)["LONGSHORE_DRAIN_SECONDS"]).toBe("3595");
  });
  const refused: readonly [why: string, spec: object, message: RegExp][] = [
    ["without an image for the worker", { runtime: "celery", ...withWorker({}) }, /has no image for the container worker/],
    ["that removes the worker", withWorker({ $patch: "delete" }), /no container worker/],
    [
      "whose grace period is no number",
      { template: { spec: { terminationGracePeriodSeconds: "1h" } } },
      /terminationGracePeriodSeconds is "1h"/,
    ],
    [
      "whose containers are no list",
      { template: { spec: { containers: {} } } },
      /spec\.template\.spec\.containers is a map; it must be a list/,
    ],
  ];
  test.for(refused)("%s is refused with its field", ([, spec, message]) => expect(() => deploymentOf(pool(spec), inputs)).toThrow(message));
});

describe("the size", () => {
  const autoscaling = { minReplicas: 2, maxReplicas: 9, backlogPerReplica: 1 };
  const current = (replicas: number) => deploymentOf(pool(), { ...inputs, replicas });
  const cases: readonly [why: string, spec: object, now: number | undefined, want: number][] = [
    ["without autoscaling begins as the spec says", { replicas: 4 }, undefined, 4],
    ["without autoscaling is one by default", {}, undefined, 1],
    ["without autoscaling may begin with none", { replicas: 0 }, undefined, 0],
    ["without autoscaling stays until the autoscaler has drained", { replicas: 4 }, 7, 7],
    ["with autoscaling begins at the minimum", { autoscaling }, undefined, 2],
    ["with autoscaling begins at the floor set by hand, if higher", { autoscaling, replicas: 5 }, undefined, 5],
    ["with autoscaling stays what the autoscaler made it", { autoscaling }, 7, 7],
    ["with autoscaling stays none when it is none", { autoscaling }, 0, 0],
  ];
  test.for(cases)("%s", ([, spec, now, want]) => expect(replicasOf(pool(spec), now === undefined ? undefined : current(now))).toBe(want));
});

test("the Deployment goes with its pool", () => {
  expect(deploymentOf(pool(), inputs).metadata).toMatchObject({
    name: "video",
    namespace: "media",
    ownerReferences: [{ kind: "WorkerPool", name: "video", uid: "u1", controller: true }],
  });
});
