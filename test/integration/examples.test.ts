import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { deploymentOf } from "../../operator/kinds/worker-pool/deployment.ts";
import { type WorkerPool, workerPoolKind } from "../../operator/kinds/worker-pool/schema.ts";
import { loadTasks } from "../../worker/tasks/load.ts";
import { type ApiServer, startApiServer } from "./api-server.ts";
import { openLab, untilReady } from "./worker-process.ts";

const ROOT = join(import.meta.dirname, "../..");
const EXAMPLES = join(ROOT, "manifests/examples");
const folders = (await readdir(EXAMPLES, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => name);

const poolsOf = async (folder: string): Promise<readonly WorkerPool[]> =>
  parseAllDocuments(await readFile(join(EXAMPLES, folder, "manifests.yaml"), "utf8"))
    .map((document) => document.toJS() as WorkerPool)
    .filter(({ kind }) => kind === "WorkerPool")
    .map((pool) => ({ ...pool, spec: workerPoolKind.spec.parse(pool.spec) }));

describe("every example", () => {
  let api: ApiServer;
  beforeAll(async () => {
    api = await startApiServer();
    expect((await api.kubectl(["apply", "--server-side", "-f", join(ROOT, "crds")])).error).toBe("");
    expect((await api.kubectl(["wait", "--for=condition=Established", "--timeout=60s", "crd", "--all"])).code).toBe(0);
  });
  afterAll(() => api?.[Symbol.asyncDispose]());

  test("is taken by an API server as it stands", async () => {
    const files = [join(EXAMPLES, "connections.yaml"), ...folders.map((folder) => join(EXAMPLES, folder, "manifests.yaml"))];
    const given = files.filter((file) => existsSync(file)).flatMap((file) => ["-f", file]);
    expect(await api.kubectl(["apply", "--dry-run=server", ...given])).toMatchObject({ code: 0, error: "" });
  });
});

describe.for(folders)("the example %s", (folder) => {
  test("says what it shows, and is in the list", async () => {
    expect((await readFile(join(EXAMPLES, folder, "README.md"), "utf8")).length).toBeGreaterThan(40);
    expect(await readFile(join(EXAMPLES, "README.md"), "utf8")).toContain(`[${folder}](${folder})`);
  });

  test("has pools that the operator can run, and modules that the worker can load", async () => {
    if (!existsSync(join(EXAMPLES, folder, "manifests.yaml"))) return;
    const inputs = { workerImage: "w", inputsDigest: "d", replicas: 1, queues: ["q"], broker: { name: "b", key: "uri" } };
    const pools = await poolsOf(folder);
    for (const pool of pools) expect(deploymentOf(pool, inputs).spec.template.spec.containers).toHaveLength(1);
    const modules = pools.some(({ spec }) => spec.tasks?.configMapRef !== undefined);
    expect((await loadTasks(join(EXAMPLES, folder, "tasks"))).tasks.size > 0).toBe(modules);
  });
});

test("the producer of idempotent-orders: ten times the same order, ten answers, one charge", async () => {
  await using lab = await openLab("examples-orders", 7);
  await lab.declare("orders", { "x-queue-type": "quorum" });
  const ledger = join(lab.folder, "ledger");
  const env = { LONGSHORE_TASKS: join(EXAMPLES, "idempotent-orders/tasks"), ORDERS_LEDGER: ledger };
  await untilReady(await lab.worker({ queues: "orders", concurrency: 10, env }));
  const script = `
import os, runpy
os.environ["CELERY_BROKER_URL"], os.environ["CELERY_RESULT_BACKEND"] = sys.argv[1], sys.argv[2]
result = runpy.run_path(${JSON.stringify(join(EXAMPLES, "idempotent-orders/producer.py"))})["main"]()`;
  expect(await lab.python(script)).toEqual(Array.from({ length: 10 }, () => ({ order_id: "A-17", charged: 25 })));
  expect((await readFile(ledger, "utf8")).trim().split("\n")).toEqual([expect.stringMatching(/^A-17 25 \d+$/)]);
});
