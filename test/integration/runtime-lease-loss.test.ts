import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Access, loadAccess } from "../../operator/adapters/kubernetes/access.ts";
import { startApiProxy } from "./api-proxy.ts";
import { startOperatorProcess } from "./operator-process.ts";
import { type Api, startApi } from "./topology-operator.ts";

const namespace = "default";

let api: Api;
let access: Access;
let folder: string;
beforeAll(async () => {
  api = await startApi();
  access = await loadAccess({ KUBECONFIG: api.server.kubeconfig });
  folder = await mkdtemp(join(tmpdir(), "longshore-lease-"));
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** A kubeconfig through the proxy, with the token of the real one. */
async function kubeconfigTo(server: URL): Promise<string> {
  const authorization = (await access.authorization()) ?? "";
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster: { server: server.origin, "insecure-skip-tls-verify": true } }],
    users: [{ name: "u", user: { token: authorization.replace("Bearer ", "") } }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u", namespace } }],
    "current-context": "x",
  };
  const path = join(folder, "kubeconfig.json");
  await writeFile(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}

test("a leader that is cut off stops before another may lead, stays alive, and leads again when it is back", async () => {
  await using proxy = await startApiProxy(access);
  const env = { WATCH_NAMESPACES: namespace, WORKER_IMAGE: "localhost/none:1", HEALTH_PORT: "0" };
  await using operator = startOperatorProcess({ ...env, POD_NAME: "alone", KUBECONFIG: await kubeconfigTo(proxy.access.server) });
  await operator.said("leading");
  const cut = performance.now();
  proxy.cut();
  const { at } = await operator.said("lost the lease: it could not be renewed in time");
  // Ten seconds after the last renewal, which was at most two before the cut; another may lead fifteen after it.
  expect(at - cut).toBeGreaterThan(7_500);
  expect(at - cut).toBeLessThan(11_000);
  const port = Number(operator.lines.find(({ msg }) => msg === "started")?.["port"]);
  const ready = await fetch(`http://127.0.0.1:${port}/readyz`);
  expect(ready.status).toBe(200);
  expect(await ready.text()).toContain("+ pods: pods: ");
  proxy.mend();
  const led = () => operator.lines.filter(({ msg }) => msg === "leading").length;
  await expect.poll(led, { timeout: 30_000 }).toBe(2);
  await expect.poll(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).text(), { timeout: 30_000 }).not.toContain(":");
  expect(await operator.end("SIGTERM")).toBe(0);
});
