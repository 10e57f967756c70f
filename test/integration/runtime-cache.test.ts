import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Access, loadAccess } from "../../operator/adapters/kubernetes/access.ts";
import { createKube } from "../../operator/adapters/kubernetes/kube.ts";
import type { KubePort, Resource } from "../../operator/adapters/ports.ts";
import { type Cache, createCache } from "../../operator/runtime/cache/cache.ts";
import { systemClock } from "../../operator/runtime/clock.ts";
import type { KubeObject } from "../../operator/runtime/object.ts";
import { up } from "../cluster/cluster.ts";
import { createRecordingLog } from "../fakes/log.ts";
import { startApiProxy } from "./api-proxy.ts";

const CONFIG_MAPS: Resource = { group: "", version: "v1", plural: "configmaps", kind: "ConfigMap" };
const NAMESPACES: Resource = { group: "", version: "v1", plural: "namespaces", kind: "Namespace" };
const namespace = `runtime-cache-${process.pid}`;

let access: Access;
let kube: KubePort & Disposable;
beforeAll(async () => {
  access = await loadAccess({ KUBECONFIG: (await up()).kubeconfig });
  kube = createKube(access, { random: Math.random });
  await kube.apply(NAMESPACES, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
});
afterAll(async () => {
  await kube.delete(NAMESPACES, undefined, namespace);
  kube[Symbol.dispose]();
});
beforeEach(async () => {
  for (const name of ["stays", "goes", "comes", "last"]) await kube.delete(CONFIG_MAPS, namespace, name);
});

const put = (name: string, data: Record<string, string> = {}) =>
  kube.apply(CONFIG_MAPS, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace, labels: { seen: "yes" } },
    data,
  } as KubeObject);

/** A cache that looks through a proxy, and the names that it told, waited for by name. */
async function looking(stack: AsyncDisposableStack, watchSeconds = 60) {
  const proxy = stack.use(await startApiProxy(access));
  const through = stack.use(createKube(proxy.access, { random: () => 0, watchSeconds, silenceMs: 500 }));
  const cache: Cache<KubeObject> = stack.use(
    createCache({
      kube: through,
      resource: CONFIG_MAPS,
      selection: { namespace, labelSelector: "seen=yes" },
      clock: systemClock,
      random: Math.random,
      log: createRecordingLog(),
    }),
  );
  const told: string[] = [];
  const waiters = new Set<() => void>();
  cache.subscribe(({ key, object, previous }) => {
    told.push(`${key.split("/")[1]} ${object === undefined ? "gone" : previous === undefined ? "new" : "changed"}`);
    for (const wake of waiters) wake();
  });
  const until = async (line: string): Promise<void> => {
    while (!told.includes(line)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiters.add(resolve);
      await promise;
      waiters.delete(resolve);
    }
  };
  cache.start();
  await cache.synced(AbortSignal.timeout(5_000));
  const times = (part: string) => proxy.asked.filter(({ path }) => path.includes(part)).map(({ at }) => at);
  return { proxy, cache, told, until, lists: () => times("limit=").length, watches: () => times("watch=true") };
}

test("what happened while the API server could not be reached is told when it is back, without a new list", async () => {
  await using stack = new AsyncDisposableStack();
  await put("stays");
  await put("goes");
  const { proxy, cache, told, until, lists } = await looking(stack);
  await put("last");
  await until("last new");
  told.length = 0;
  proxy.cut();
  await kube.delete(CONFIG_MAPS, namespace, "goes");
  await put("comes");
  await expect.poll(() => cache.state().cause, { timeout: 30_000 }).toMatch(/^configmaps: /);
  proxy.mend();
  await until("comes new");
  expect(told).toEqual(["goes gone", "comes new"]);
  expect(lists()).toBe(1);
  expect(cache.state()).toEqual({ synced: true });
});

test("a version that the API server has forgotten leads to a new list, and deletions are told", async () => {
  await using stack = new AsyncDisposableStack();
  await put("stays");
  await put("goes");
  const { proxy, told, until, lists } = await looking(stack);
  await put("last");
  await until("last new");
  told.length = 0;
  // In a real server's words; a real one that has just started may still replay all versions.
  const object = {
    kind: "Status",
    apiVersion: "v1",
    status: "Failure",
    message: "too old resource version: 1 (2)",
    reason: "Expired",
    code: 410,
  };
  proxy.next(
    (path) => path.includes("watch=true"),
    () => ({ status: 200, headers: { "content-type": "application/json" }, body: `${JSON.stringify({ type: "ERROR", object })}\n` }),
  );
  proxy.cut();
  await kube.delete(CONFIG_MAPS, namespace, "goes");
  await put("comes");
  proxy.mend();
  await until("comes new");
  expect(told).toEqual(["goes gone", "comes new"]);
  expect(lists()).toBe(2);
});

test("a server that says when to come back is asked no sooner", async () => {
  await using stack = new AsyncDisposableStack();
  const { proxy, until, watches } = await looking(stack);
  await put("last");
  await until("last new");
  proxy.next(
    (path) => path.includes("watch=true"),
    () => ({ status: 429, headers: { "retry-after": "2" } }),
  );
  proxy.cut();
  proxy.mend();
  await put("comes");
  await until("comes new");
  const [, refused = 0, again = 0] = watches();
  expect(again - refused).toBeGreaterThan(1_990);
});

test("a watch that has gone silent is noticed and replaced", async () => {
  await using stack = new AsyncDisposableStack();
  const { proxy, until, watches } = await looking(stack, 1);
  await put("last");
  await until("last new");
  proxy.freeze();
  await put("comes");
  const before = watches().length;
  await expect.poll(() => watches().length, { timeout: 30_000 }).toBeGreaterThan(before);
  proxy.mend();
  await until("comes new");
});
