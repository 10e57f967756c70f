import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { type Cluster, celeryImage, python } from "../cluster/cluster.ts";
import { installed } from "../product/installed.ts";
import { kubectl, root } from "../product/kubectl.ts";
import { apply, prepareNamespace, removeNamespace } from "../product/namespace.ts";

const NAMESPACE = "examples";
const EXAMPLES = join(root, "manifests/examples");
/** Those that run as they stand; the others need more than a broker, or are run by a test of their own. */
const FOLDERS = ["heavy-and-light", "idempotent-orders", "python", "commands", "http"] as const;

interface Item {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: { readonly tasks?: object; readonly template?: { readonly spec: PodSpec }; readonly [field: string]: unknown };
}
interface PodSpec {
  readonly containers: readonly Record<string, unknown>[];
  readonly volumes?: readonly { readonly name: string }[];
}

/** To end a hang, and no sooner: pods are started one after the other on a small machine. */
const LIMIT = 600_000;

let cluster: Cluster;
let image: string;
let producer: string;
const calls: { readonly url: string | undefined; readonly authorization: string | undefined; readonly key: unknown }[] = [];
const hooks = createServer((request, response) => {
  calls.push({ url: request.url, authorization: request.headers.authorization, key: request.headers["idempotency-key"] });
  response.end("thanks");
});

/** What a small cluster without a registry and without volumes cannot give, given otherwise: CPUs, the image, the claim, the address. */
function fitted(item: Item): Item {
  if (item.kind !== "WorkerPool") return item;
  const { template, ...spec } = item.spec;
  const port = (hooks.address() as AddressInfo).port;
  const text = JSON.stringify(spec).replace("https://hooks.example.test", `http://${cluster.hostAddress}:${port}`);
  const [container = { name: "worker" }] = template?.spec.containers ?? [];
  const isPython = item.metadata.name === "python-orders";
  const celery = {
    image,
    workingDir: "/tmp",
    env: [{ name: "PYTHONPATH", value: "/opt/celery:/shop" }],
    securityContext: { allowPrivilegeEscalation: false, runAsNonRoot: true, runAsUser: 65_532, capabilities: { drop: ["ALL"] } },
    volumeMounts: [{ name: "shop", mountPath: "/shop" }],
  };
  const volumes = [
    ...(template?.spec.volumes ?? []).map(({ name }) => ({ name, configMap: { name: "files" } })),
    ...(isPython ? [{ name: "shop", configMap: { name: "shop" } }] : []),
  ];
  const small = { ...container, resources: { requests: { cpu: "10m", memory: "32Mi" } }, ...(isPython ? celery : {}) };
  return { ...item, spec: { ...(JSON.parse(text) as Item["spec"]), template: { spec: { containers: [small], volumes } } } };
}

const on = (...args: readonly string[]): Promise<string> => kubectl(cluster, ["--namespace", NAMESPACE, ...args]);

beforeAll(async () => {
  cluster = await installed();
  image = await celeryImage();
  producer = join((await python("5.7")).bin, "python");
  hooks.listen(0);
  await once(hooks, "listening");
  await prepareNamespace(cluster, NAMESPACE);
  await apply(cluster, NAMESPACE, ["-f", join(EXAMPLES, "connections.yaml")]);
  for (const name of ["heavy-and-light", "idempotent-orders"])
    await on("create", "configmap", name, `--from-file=${join(EXAMPLES, name, "tasks")}`);
  await on("create", "configmap", "shop", `--from-file=${join(EXAMPLES, "python/shop.py")}`);
  await on("create", "configmap", "files", "--from-literal=hello.txt=hello");
  await on("create", "secret", "generic", "hooks", "--from-literal=authorization=Bearer hook");
  const texts = await Promise.all(FOLDERS.map((folder) => readFile(join(EXAMPLES, folder, "manifests.yaml"), "utf8")));
  const items = texts.flatMap((text) => parseAllDocuments(text).map((document) => fitted(document.toJS() as Item)));
  await apply(cluster, NAMESPACE, ["-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  await on("wait", "--for=condition=Ready", "queues.longshore.dev", "--all", "--timeout=150s");
}, LIMIT);
afterAll(async () => {
  hooks.close();
  if (cluster !== undefined) await removeNamespace(cluster, NAMESPACE);
}, LIMIT);

test("the examples' pools answer producers in Python: plain Celery, FastAPI and Django", { timeout: LIMIT }, async () => {
  const env = { ...process.env, CELERY_BROKER_URL: cluster.broker.uri, CELERY_RESULT_BACKEND: cluster.redis.uri };
  const { stdout } = await promisify(execFile)(producer, [join(import.meta.dirname, "examples_producer.py"), EXAMPLES], { env });
  const hex = expect.stringMatching(/^[0-9a-f]{64}$/);
  expect(JSON.parse(stdout)).toEqual({
    videos: [hex, hex, hex, hex],
    mails: Array.from({ length: 20 }, (_, n) => `a${n}@example.org`),
    reports: ["report@example.org"],
    python: [5],
    // `printf hello | sha256sum`
    files: [expect.objectContaining({ exit_code: 0, stdout: expect.stringContaining("2cf24dba5fb0a30e26e83b2ac5b9e29e") })],
    hooks: [expect.objectContaining({ status: 200 })],
    orders: Array.from({ length: 10 }, () => ({ order_id: "A-17", charged: 25 })),
    fastapi: { state: "SUCCESS", result: { order_id: "F-1", charged: 3 } },
    django: 202,
  });
  expect(calls).toEqual([{ url: "/customers/c%2F1/events", authorization: "Bearer hook", key: expect.any(String) }]);
  const charges = (await on("exec", "deploy/orders", "--", "cat", "/tmp/ledger")).split("\n");
  expect(charges.filter((line) => line.startsWith("A-17"))).toHaveLength(1);
});
