import { afterAll, beforeAll, expect, test } from "vitest";
import { type Cluster, helm, rabbitmqImage, redisImage } from "../cluster/cluster.ts";
import { installed } from "../product/installed.ts";
import { kubectl, run } from "../product/kubectl.ts";

/** RabbitMQ and Redis from the chart, as a user without either would try it out: the contract manifest becomes ready beside them. */
const NAMESPACE = `trial-${process.pid}`;

let cluster: Cluster;
const inside = (args: readonly string[]) => kubectl(cluster, ["--namespace", NAMESPACE, ...args]);
const chart = async (verb: "install" | "upgrade", ...flags: readonly string[]) => {
  const [broker, store] = [await rabbitmqImage(), await redisImage()];
  // The cluster has an operator already: of this release only what is beside it.
  const set = `replicaCount=0,crds.install=false,rbac.create=false,rabbitmq.enabled=true,redis.enabled=true,rabbitmq.image=${broker},redis.image=${store}`;
  return run(cluster, await helm(), [
    verb,
    "trial",
    "charts/longshore",
    "--namespace",
    NAMESPACE,
    "--set",
    set,
    ...flags,
    "--wait",
    "--timeout",
    "120s",
  ]);
};

beforeAll(async () => {
  cluster = await installed();
  const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
  await kubectl(
    cluster,
    ["apply", "-f", "-"],
    JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE, labels } }),
  );
}, 600_000);

afterAll(async () => {
  // Objects with a finalizer first, while their broker is there.
  await inside(["delete", "workerpools,queues,exchanges,brokers,stores", "--all", "--timeout=60s"]);
  await kubectl(cluster, ["delete", "namespace", NAMESPACE, "--wait=false"]);
});

test("both start under the restricted pod security standard, and say how to go on", async () => {
  expect(await chart("install")).toContain(`kubectl --namespace ${NAMESPACE} apply -f manifests/video-pool.yaml`);
});

test("the contract manifest becomes ready with the Secrets that the chart made", async () => {
  await inside(["create", "configmap", "video-tasks", "--from-file", "manifests/video-tasks"]);
  await inside(["apply", "-f", "manifests/video-pool.yaml"]);
  for (const object of ["broker/rabbitmq", "store/redis", "exchange/media", "queue/video-queue", "workerpool/video"]) {
    await inside(["wait", object, "--for=condition=Ready", "--timeout=60s"]);
  }
});

test("an upgrade keeps the passwords, and everything stays ready", async () => {
  const uri = () => inside(["get", "secret", "rabbitmq", "-o", "jsonpath={.data.uri}"]);
  const before = await uri();
  await chart("upgrade", "--set", "logLevel=debug");
  expect(await uri()).toBe(before);
  expect(await inside(["get", "broker", "rabbitmq", "-o", "jsonpath={.status.conditions[0].status}"])).toBe("True");
});
