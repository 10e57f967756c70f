import { expect, onTestFinished, test } from "vitest";
import { createFakeClock, settled } from "../../../test/fakes/clock.ts";
import { createFakeKube } from "../../../test/fakes/kube.ts";
import { createRecordingLog } from "../../../test/fakes/log.ts";
import type { Resource } from "../../adapters/ports.ts";
import { createCache } from "../cache/cache.ts";
import type { KubeObject } from "../object.ts";
import { done, Stalled, Waiting } from "../truth/outcome.ts";
import { type ControllerOptions, createController, relate } from "./controller.ts";

const STORES: Resource = { group: "longshore.dev", version: "v1alpha1", plural: "stores", kind: "Store" };
const SECRETS: Resource = { group: "", version: "v1", plural: "secrets", kind: "Secret" };
const store = (name: string): KubeObject => ({
  apiVersion: "longshore.dev/v1alpha1",
  kind: "Store",
  metadata: { name, namespace: "shop" },
});
const secret = (name: string): KubeObject => ({ apiVersion: "v1", kind: "Secret", metadata: { name, namespace: "shop" } });

function setup(reconcile: ControllerOptions<KubeObject>["reconcile"], more: Partial<ControllerOptions<KubeObject>> = {}) {
  const [kube, clock, log] = [createFakeKube(), createFakeClock(), createRecordingLog()];
  const shared = { kube, clock, random: () => 0, log };
  const cache = createCache<KubeObject>({ ...shared, resource: STORES, selection: {} });
  const secrets = createCache<KubeObject>({ ...shared, resource: SECRETS, selection: {} });
  const seen: string[] = [];
  const controller = createController<KubeObject>({
    ...shared,
    name: "store",
    cache,
    workers: 2,
    related: [relate(secrets, ({ metadata }) => [`shop/${metadata.name}`])],
    ...more,
    async reconcile(key, object, signal) {
      seen.push(`${key}${object === undefined ? " gone" : ""}`);
      return reconcile(key, object, signal);
    },
  });
  const stop = new AbortController();
  const running = controller.run(stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await running;
    await cache[Symbol.asyncDispose]();
    await secrets[Symbol.asyncDispose]();
  });
  return { kube, clock, log, cache, secrets, controller, seen, stop, running };
}

test("it acts on nothing before every cache is warm, then on what is there, what changes and what goes", async () => {
  const { kube, cache, secrets, seen } = setup(async () => done);
  kube.seed(STORES, store("a"));
  cache.start();
  await settled();
  expect(seen).toEqual([]);
  secrets.start();
  await settled();
  await kube.patch(STORES, "shop", "a", { metadata: { labels: { x: "1" } } });
  await settled();
  await kube.delete(STORES, "shop", "a");
  await settled();
  expect(seen).toEqual(["shop/a", "shop/a", "shop/a gone"]);
});

test("a change of a related object reconciles those whom it concerns", async () => {
  const { kube, cache, secrets, seen } = setup(async () => done);
  cache.start();
  secrets.start();
  await settled();
  kube.seed(SECRETS, secret("b"));
  await settled();
  expect(seen).toEqual(["shop/b gone"]);
});

test.for([
  ["waiting comes again after its time", new Waiting("SecretMissing", "x", { retryAfterMs: 1_000 }), 1_000, 3],
  ["stalled does not come again", new Stalled("InvalidSpec", "x"), 100_000, 1],
  ["a failure comes again after 5, 10, 20 ms", new Error("x"), 35, 4],
] as const)("%s", async ([, error, ms, times]) => {
  const { kube, clock, cache, secrets, seen } = setup(() => Promise.reject(error));
  kube.seed(STORES, store("a"));
  cache.start();
  secrets.start();
  await settled();
  await clock.advance(ms);
  await clock.advance(ms);
  expect(seen.slice(0, times)).toHaveLength(times);
  if (error instanceof Stalled) expect(seen).toHaveLength(1);
});

test("the verdict is reported with the object, and a report that fails is a failed reconcile", async () => {
  const reports: string[] = [];
  let fails = true;
  const { kube, clock, cache, secrets, seen, log } = setup(async () => done, {
    async report(key, object, { condition }) {
      reports.push(`${key} ${object.metadata.name} ${condition?.reason}`);
      if (fails) throw new Error("no");
    },
  });
  kube.seed(STORES, store("a"));
  cache.start();
  secrets.start();
  await settled();
  fails = false;
  await clock.advance(5);
  expect([seen.length, reports]).toEqual([2, ["shop/a a Ready", "shop/a a Ready"]]);
  expect(log.lines.filter(({ level }) => level === "error")).toHaveLength(1);
});

test("it stops when told, waits for the reconcile under way, and its signal is aborted", async () => {
  let ended = false;
  const { kube, cache, secrets, stop, running } = setup(async (_, __, signal) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    ended = true;
    return done;
  });
  kube.seed(STORES, store("a"));
  cache.start();
  secrets.start();
  await settled();
  stop.abort();
  await running;
  expect(ended).toBe(true);
});
