import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { helm } from "../cluster/cluster.ts";
import { type ApiServer, startApiServer } from "../integration/api-server.ts";

/** The operator with exactly the rights that the chart gives it in one namespace: enough for its work, and it never asks for more. */
const ROOT = join(import.meta.dirname, "../..");
const SYSTEM = "longshore-system";
const SERVED = "team";

let api: ApiServer;
let operator: ChildProcess;
let log = "";

const kubectl = async (args: readonly string[], input?: string): Promise<string> => {
  const { code, out, error } = await api.kubectl(args, input);
  if (code !== 0) throw new Error(`kubectl ${args.slice(0, 3).join(" ")}: ${error}`);
  return out;
};
const apply = (namespace: string, ...objects: readonly object[]) =>
  kubectl(["apply", "--namespace", namespace, "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
const of = (kind: string, name: string, spec: object) => ({ apiVersion: "longshore.dev/v1alpha1", kind, metadata: { name }, spec });
const reasonOf = async (object: string, namespace = SERVED) =>
  (await api.kubectl(["get", object, "--namespace", namespace, "-o", 'jsonpath={.status.conditions[?(@.type=="Ready")].reason}'])).out;
const becomes = (object: string, reason: string) => expect.poll(() => reasonOf(object), { timeout: 30_000, interval: 100 }).toBe(reason);

const uri = (name: string) => ({ uriFrom: { secretKeyRef: { name } } });
const secret = (name: string, value: string) => ({ apiVersion: "v1", kind: "Secret", metadata: { name }, stringData: { uri: value } });
const pool = of("WorkerPool", "video", {
  brokerRef: { name: "rabbitmq" },
  storeRef: { name: "redis" },
  queues: ["q"],
  autoscaling: { backlogPerReplica: 5 },
});

beforeAll(async () => {
  api = await startApiServer();
  for (const name of [SYSTEM, SERVED]) await kubectl(["create", "namespace", name]);
  const { code, error } = await api.run(await helm(), [
    "install",
    "longshore",
    join(ROOT, "charts/longshore"),
    "--namespace",
    SYSTEM,
    "--set",
    `watchNamespaces={${SERVED}},rbac.userRoles=false`,
  ]);
  if (code !== 0) throw new Error(error);
  await kubectl(["wait", "--for=condition=Established", "--timeout=20s", "crd", "--all"]);
  const token = (await kubectl(["create", "token", "longshore", "--namespace", SYSTEM])).trim();
  operator = spawn(process.execPath, [join(ROOT, "operator/main.ts")], {
    env: {
      PATH: process.env["PATH"],
      KUBECONFIG: await api.kubeconfigOf(token),
      WATCH_NAMESPACES: SERVED,
      POD_NAMESPACE: SYSTEM,
      POD_NAME: "test",
      LEASE_NAME: "longshore",
      WORKER_IMAGE: "longshore-worker:test",
      HEALTH_PORT: "0",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [operator.stdout, operator.stderr]) stream?.on("data", (chunk) => (log += String(chunk)));
});

afterAll(async () => {
  if (operator?.exitCode === null) {
    const gone = new Promise((resolve) => operator.once("exit", resolve));
    operator.kill("SIGTERM");
    await gone;
  }
  await api?.[Symbol.asyncDispose]();
});

test("it takes the lease that its role names", async () => {
  const holder = () => api.kubectl(["get", "lease", "longshore", "--namespace", SYSTEM, "-o", "jsonpath={.spec.holderIdentity}"]);
  await expect.poll(async () => (await holder()).out, { timeout: 30_000 }).toBe("test");
});

test("it says what is missing, one thing after the other, as the user adds it", async () => {
  await apply(SERVED, pool);
  await becomes("workerpool/video", "BrokerMissing");
  await apply(SERVED, of("Broker", "rabbitmq", uri("rabbitmq")));
  await becomes("workerpool/video", "StoreMissing");
  await apply(SERVED, of("Store", "redis", uri("redis")));
  await becomes("workerpool/video", "SecretMissing");
  await becomes("broker/rabbitmq", "SecretMissing");
  await becomes("store/redis", "SecretMissing");
});

test("it makes the pool's Deployment when all is there, though nothing can be reached", async () => {
  await apply(SERVED, secret("rabbitmq", "amqp://u:p@127.0.0.1:1/"), secret("redis", "redis://127.0.0.1:1/0"));
  const replicas = () => api.kubectl(["get", "deployment", "video", "--namespace", SERVED, "-o", "jsonpath={.spec.replicas}"]);
  await expect.poll(async () => (await replicas()).out, { timeout: 30_000, interval: 200 }).toBe("0");
  await becomes("broker/rabbitmq", "BrokerUnreachable");
  await becomes("store/redis", "StoreUnreachable");
});

test("it lets go of an object whose broker was never reached", async () => {
  await apply(SERVED, of("Queue", "lonely", { brokerRef: { name: "nowhere" } }));
  await becomes("queue/lonely", "BrokerMissing");
  await kubectl(["delete", "queue", "lonely", "--namespace", SERVED, "--timeout=20s"]);
});

test("it writes events", async () => {
  const reasons = () => api.kubectl(["get", "events.events.k8s.io", "--namespace", SERVED, "-o", "jsonpath={.items[*].reason}"]);
  await expect.poll(async () => (await reasons()).out, { timeout: 30_000 }).toContain("BrokerMissing");
});

test("it leaves other namespaces alone", async () => {
  await apply("default", of("Queue", "elsewhere", { brokerRef: { name: "rabbitmq" } }));
  // By the time that a later one in its own namespace is looked at, it would have been too.
  await apply(SERVED, of("Queue", "later", { brokerRef: { name: "nowhere" } }));
  await becomes("queue/later", "BrokerMissing");
  expect(await reasonOf("queue/elsewhere", "default")).toBe("");
});

test("it was never refused anything", () => {
  expect(log).toContain('"msg":"became the leader"');
  expect(log.split("\n").filter((line) => /forbidden|"status":403|Forbidden/i.test(line))).toEqual([]);
});
