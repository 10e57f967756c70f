import { expect, onTestFinished, test } from "vitest";
import { createFakeClock, settled } from "../../../test/fakes/clock.ts";
import { createFakeKube } from "../../../test/fakes/kube.ts";
import { createRecordingLog } from "../../../test/fakes/log.ts";
import type { Resource } from "../../adapters/ports.ts";
import { KubeError } from "../kube-error.ts";
import type { KubeObject } from "../object.ts";
import { type CacheOptions, createCache } from "./cache.ts";

const PODS: Resource = { group: "", version: "v1", plural: "pods", kind: "Pod" };
const pod = (name: string, namespace = "shop", labels: Record<string, string> = { pool: "a" }): KubeObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace, labels },
});

function setup(more: Partial<CacheOptions> = {}) {
  const [kube, clock] = [createFakeKube(), createFakeClock()];
  const cache = createCache<KubeObject>({
    kube,
    clock,
    random: () => 0,
    log: createRecordingLog(),
    resource: PODS,
    selection: { labelSelector: "pool" },
    ...more,
  });
  onTestFinished(async () => {
    await cache[Symbol.asyncDispose]();
  });
  const told: string[] = [];
  cache.subscribe(({ key, object, previous, initial }) => {
    const what = object === undefined ? "gone" : previous === undefined ? "new" : "changed";
    told.push(`${key} ${what}${initial ? " initial" : ""}`);
  });
  const listed = () => kube.calls.filter(({ verb }) => verb === "list").length;
  return { kube, clock, cache, told, listed };
}

test("it tells what is there as initial, in pages of 500, and then what changes", async () => {
  const { kube, cache, told, listed } = setup();
  for (let index = 0; index < 501; index++) kube.seed(PODS, pod(`p${index}`));
  kube.seed(PODS, pod("foreign", "shop", {}));
  cache.start();
  cache.start();
  await cache.synced(AbortSignal.timeout(1_000));
  expect(listed()).toBe(2);
  expect(told).toHaveLength(501);
  expect(told.every((line) => line.endsWith("new initial"))).toBe(true);
  await settled();
  kube.seed(PODS, pod("later"));
  await kube.patch(PODS, "shop", "later", { metadata: { labels: { more: "1" } } });
  await kube.delete(PODS, "shop", "later");
  await settled();
  expect(told.slice(501)).toEqual(["shop/later new", "shop/later changed", "shop/later gone"]);
  expect(cache.list()).toHaveLength(501);
});

test("who subscribes later is told what is there, as initial", async () => {
  const { kube, cache } = setup();
  kube.seed(PODS, pod("p"));
  cache.start();
  await cache.synced(AbortSignal.timeout(1_000));
  const late: string[] = [];
  using _ = cache.subscribe(({ key, initial }) => void late.push(`${key} ${initial}`));
  expect(late).toEqual(["shop/p true"]);
});

test("a watch that the server ends begins again from the last version, without a list", async () => {
  const { kube, clock, cache, told, listed } = setup();
  cache.start();
  await settled();
  await clock.advance(5_000);
  kube.endWatches();
  kube.seed(PODS, pod("meanwhile"));
  await settled();
  expect(kube.watches).toBe(1);
  expect([listed(), told]).toEqual([1, ["shop/meanwhile new"]]);
});

test("a version that expired leads to a list, and what went, came or was made anew meanwhile is told", async () => {
  const { kube, clock, cache, told, listed } = setup();
  for (const name of ["stays", "goes", "anew"]) kube.seed(PODS, pod(name));
  cache.start();
  await settled();
  told.length = 0;
  await clock.advance(5_000);
  kube.endWatches(new KubeError(0, "Unreachable", "connection lost"));
  kube.vanish(PODS, "shop", "goes");
  kube.vanish(PODS, "shop", "anew");
  kube.seed(PODS, pod("anew"));
  kube.seed(PODS, pod("comes"));
  kube.compact();
  await settled();
  expect(cache.state()).toEqual({ synced: true, cause: "pods: connection lost" });
  await clock.advance(1_000);
  expect(told).toEqual(["shop/goes gone", "shop/anew gone", "shop/anew new", "shop/comes new"]);
  expect(listed()).toBe(2);
  expect(cache.state()).toEqual({ synced: true });
});

test("a refusal is the cause that readiness shows, and is tried again ever more slowly until it ends", async () => {
  const { kube, clock, cache, listed } = setup();
  for (let attempt = 0; attempt < 4; attempt++) kube.failNext("list", new KubeError(403, "Forbidden", "may not list pods"));
  cache.start();
  await settled();
  expect(cache.state()).toEqual({ synced: false, cause: "pods: may not list pods" });
  await clock.advance(200 + 400 + 800 - 1);
  expect(listed()).toBe(3);
  await clock.advance(1_601);
  expect(cache.state()).toEqual({ synced: true });
});

test("a server that asks for patience gets it", async () => {
  const { kube, clock, cache, listed } = setup();
  kube.failNext("list", new KubeError(429, "TooManyRequests", "slow down", { retryAfterMs: 7_000 }));
  cache.start();
  await clock.advance(6_999);
  expect(listed()).toBe(1);
  await clock.advance(1);
  expect(listed()).toBe(2);
});

test("a server that ends every watch at once is not asked in a tight loop", async () => {
  const { kube, clock, cache } = setup();
  cache.start();
  await settled();
  const watched = () => kube.calls.filter(({ verb }) => verb === "watch").length;
  for (let tick = 0; tick < 100; tick++) {
    kube.endWatches();
    await clock.advance(100);
  }
  expect(watched()).toBeLessThan(20);
});

test("several namespaces are one cache, and a relist of one does not touch the others", async () => {
  const { kube, clock, cache, told } = setup({ namespaces: ["shop", "media"] });
  for (const namespace of ["shop", "media", "other"]) kube.seed(PODS, pod("p", namespace));
  cache.start();
  await cache.synced(AbortSignal.timeout(1_000));
  expect(told).toEqual(["shop/p new initial", "media/p new initial"]);
  await settled();
  kube.compact();
  kube.endWatches(new KubeError(410, "Expired", "too old"));
  await clock.advance(5_000);
  expect(told).toHaveLength(2);
  expect(cache.state()).toEqual({ synced: true });
});

test("after disposal nothing runs and nothing is told; waiting for a sync ends with its signal", async () => {
  const { kube, clock, cache, told } = setup();
  await expect(cache.synced(AbortSignal.abort(new Error("stopped")))).rejects.toThrow("stopped");
  cache.start();
  await settled();
  await cache[Symbol.asyncDispose]();
  await cache[Symbol.asyncDispose]();
  kube.seed(PODS, pod("p"));
  await clock.advance(60_000);
  expect([told, kube.watches, clock.pending]).toEqual([[], 0, 0]);
});
