import { afterAll, beforeAll, expect, test } from "vitest";
import type { Cluster } from "../cluster/cluster.ts";
import { installed } from "../product/installed.ts";
import { kubectl } from "../product/kubectl.ts";
import { apply, prepareNamespace, removeNamespace } from "../product/namespace.ts";
import { eventually, type PoolView, readyOf } from "../product/wait.ts";

/** What a user gets for each mistake: a reason that says what to do, and recovery without a restart once it is mended. */
const NAMESPACE = "e2e-bad-input";
const api = "longshore.dev/v1alpha1";
/** The broker outlives the namespace: a queue left behind by a run that was cut off must not be taken for this one's. */
const lateQueue = `late-queue-${process.pid}`;
const brokerRef = { name: "rabbitmq" };
let cluster: Cluster;

const applyAll = (...items: object[]) => apply(cluster, NAMESPACE, ["-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
const secretKey = (name: string) => ({ uriFrom: { secretKeyRef: { name } } });
const broker = { apiVersion: api, kind: "Broker", metadata: { name: "rabbitmq" }, spec: secretKey("rabbitmq") };
const store = { apiVersion: api, kind: "Store", metadata: { name: "redis" }, spec: secretKey("redis") };
const queue = (name: string) => ({ apiVersion: api, kind: "Queue", metadata: { name }, spec: { brokerRef } });
const pool = (name: string, spec: object) => ({
  apiVersion: api,
  kind: "WorkerPool",
  metadata: { name },
  spec: { brokerRef, storeRef: { name: "redis" }, queues: [name], ...spec },
});
const configMap = (name: string, data: Record<string, string>) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data });
const poolIs = (name: string, what: string, wanted: (pool: PoolView) => boolean, seconds = 45) =>
  eventually<PoolView>(cluster, NAMESPACE, `workerpool/${name}`, what, wanted, seconds);

beforeAll(async () => {
  cluster = await installed();
  await prepareNamespace(cluster, NAMESPACE);
  await applyAll(broker, store);
}, 900_000);
afterAll(() => removeNamespace(cluster, NAMESPACE));

test("a broken task module shows in the pool's condition with file and line, and mending it brings the pool up", async () => {
  const working = 'import { defineTask } from "longshore";\nexport const ok = defineTask({ name: "e2e.ok", run: async () => 1 });\n';
  await applyAll(queue("broken"), configMap("broken", { "ok.ts": 'import { defineTask } from "longshore";\nconst x: = 1;\n' }));
  await applyAll(pool("broken", { replicas: 1, tasks: { configMapRef: { name: "broken" } } }));
  const broken = await poolIs("broken", "told of the broken module", (seen) => readyOf(seen)?.reason === "TaskModuleBroken");
  expect(readyOf(broken)?.message).toMatch(/ok\.ts:2/);
  await applyAll(configMap("broken", { "ok.ts": working }));
  await poolIs("broken", "ready", (seen) => readyOf(seen)?.status === "True" && seen.status?.readyReplicas === 1, 90);
});

test("a queue that does not exist is named, and the pool recovers when it is created", async () => {
  await applyAll(pool(lateQueue, { autoscaling: { backlogPerReplica: 10 } }));
  const waiting = await poolIs(lateQueue, "told of the missing queue", (seen) => readyOf(seen)?.reason === "QueueMissing");
  expect(readyOf(waiting)?.message).toContain(lateQueue);
  await applyAll(queue(lateQueue));
  await poolIs(lateQueue, "ready", (seen) => readyOf(seen)?.status === "True");
});

test("a missing ConfigMap of tasks is named, and the pool recovers when it is created", async () => {
  await applyAll(
    queue("late-tasks"),
    pool("late-tasks", { tasks: { configMapRef: { name: "late-tasks" } }, autoscaling: { backlogPerReplica: 10 } }),
  );
  const waiting = await poolIs("late-tasks", "told of the missing ConfigMap", (seen) => readyOf(seen)?.status === "False");
  expect(readyOf(waiting)?.message).toContain("late-tasks");
  await applyAll(
    configMap("late-tasks", {
      "ok.ts": 'import { defineTask } from "longshore";\nexport const ok = defineTask({ name: "e2e.ok", run: async () => 1 });\n',
    }),
  );
  await poolIs("late-tasks", "ready", (seen) => readyOf(seen)?.status === "True");
});

test("wrong credentials are a reason, never shown, and a corrected Secret is enough", async () => {
  const right = JSON.parse(await kubectl(cluster, ["--namespace", NAMESPACE, "get", "secret", "rabbitmq", "-o", "json"])).data
    .uri as string;
  const uri = new URL(Buffer.from(right, "base64").toString());
  const secret = (password: string) => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "rotated" },
    stringData: { uri: Object.assign(new URL(uri), { password }).href },
  });
  await applyAll(secret("a-wrong-password"), { ...broker, metadata: { name: "rotated" }, spec: secretKey("rotated") });
  const refused = await eventually<PoolView>(
    cluster,
    NAMESPACE,
    "broker/rotated",
    "refused",
    (seen) => readyOf(seen)?.reason === "BrokerRefusedLogin",
    30,
  );
  expect(JSON.stringify(refused.status)).not.toContain("a-wrong-password");
  await applyAll(secret(uri.password));
  await eventually<PoolView>(cluster, NAMESPACE, "broker/rotated", "ready", (seen) => readyOf(seen)?.status === "True", 30);
});
