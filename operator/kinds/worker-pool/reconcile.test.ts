import { expect, test } from "vitest";
import type { KubePort } from "../../adapters/ports.ts";
import { KubeError } from "../../runtime/kube-error.ts";
import type { KubeObject } from "../../runtime/object.ts";
import { type Verdict, verdictOf } from "../../runtime/truth/outcome.ts";
import { createDataReader } from "./data-reader.ts";
import type { Deployment } from "./deployment.ts";
import { budgetOf, type DisruptionBudget } from "./disruption-budget.ts";
import { reconcilePool } from "./reconcile.ts";
import type { Backend } from "./references.ts";
import { type WorkerPool, workerPoolKind } from "./schema.ts";

const named = (kind: string, name: string, more: object = {}) =>
  ({ apiVersion: "v1", kind, metadata: { name, namespace: "media", uid: `${kind}-1`, resourceVersion: "1" }, ...more }) as KubeObject;
const pool = (spec: object = {}, metadata: object = {}): WorkerPool => ({
  apiVersion: "longshore.dev/v1alpha1",
  kind: "WorkerPool",
  metadata: { name: "video", namespace: "media", uid: "u1", ...metadata },
  spec: workerPoolKind.spec.parse({
    brokerRef: { name: "rabbitmq" },
    storeRef: { name: "redis" },
    queues: ["video_queue"],
    tasks: { configMapRef: { name: "video-tasks" } },
    autoscaling: { minReplicas: 0, maxReplicas: 5, backlogPerReplica: 10 },
    ...spec,
  }),
});

/** A namespace that has everything a pool needs; an API server that versions what is applied and refuses an older version. */
function namespace() {
  const objects = new Map<string, KubeObject>();
  const put = (object: KubeObject) => objects.set(`${object.kind}/${object.metadata.name}`, object);
  const uri = { spec: { uriFrom: { secretKeyRef: { name: "urls", key: "uri" } } } };
  put(named("Broker", "rabbitmq", uri));
  put(named("Store", "redis", uri));
  put(named("Secret", "urls", { data: { uri: "eA==" } }));
  put(named("ConfigMap", "video-tasks", { data: { "a.ts": "" } }));
  const find = <T extends KubeObject>(kind: string, name: string) => objects.get(`${kind}/${name}`) as T | undefined;
  const applied: Deployment[] = [];
  const budgets: string[] = [];
  const kube: Pick<KubePort, "get" | "apply" | "delete"> = {
    get: async ({ kind }, _namespace, name) => find(kind, name),
    delete: async ({ kind }, _namespace, name) => void (budgets.push("deleted"), objects.delete(`${kind}/${name}`)),
    apply: async <T extends KubeObject>(_resource: unknown, object: KubeObject) => {
      if (object.kind === "PodDisruptionBudget") {
        budgets.push("applied");
        put(object);
        return object as T;
      }
      const current = find("Deployment", object.metadata.name);
      const { resourceVersion } = object.metadata;
      if (resourceVersion !== undefined && resourceVersion !== current?.metadata.resourceVersion)
        throw new KubeError(409, "Conflict", "newer");
      const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(applied.push(object as Deployment)) } };
      put(stored);
      return stored as KubeObject as T;
    },
  };
  let elapsed = 0;
  const data = createDataReader({ kube, clock: { elapsed: () => (elapsed += 60_000) } });
  const cached =
    <T extends KubeObject>(kind: string) =>
    (key: string) =>
      find<T>(kind, key.slice("media/".length));
  const deps = {
    kube,
    data,
    workerImage: "longshore/worker:1",
    broker: cached<Backend>("Broker"),
    store: cached<Backend>("Store"),
    deployment: cached<Deployment>("Deployment"),
    budget: cached<DisruptionBudget>("PodDisruptionBudget"),
  };
  const reconcile = async (of = pool(), more: Partial<typeof deps> = {}): Promise<Verdict> =>
    await reconcilePool(of, { ...deps, ...more }).then(
      (outcome) => verdictOf({ outcome }),
      (error: unknown) => verdictOf({ error }),
    );
  return { objects, put, applied, budgets, reconcile, find };
}

test("a pool with all it needs has its Deployment, of the first size, and is looked at again", async () => {
  const { reconcile, applied } = namespace();
  expect(await reconcile()).toMatchObject({ condition: { status: "True", reason: "Ready" }, requeue: { afterMs: 10_000 } });
  expect(applied).toMatchObject([{ kind: "Deployment", metadata: { name: "video" }, spec: { replicas: 0 } }]);
});

test("nothing is written while nothing changed", async () => {
  const { reconcile, applied } = namespace();
  await reconcile();
  await reconcile();
  expect(applied).toHaveLength(1);
});

test("a size that the autoscaler gave stays, and what it gives meanwhile is never overwritten", async () => {
  const { reconcile, applied, find, put } = namespace();
  await reconcile();
  const made = find<Deployment>("Deployment", "video") as Deployment;
  put({ ...made, metadata: { ...made.metadata, resourceVersion: "9" }, spec: { ...made.spec, replicas: 4 } } as Deployment);
  expect(await reconcile(pool({ concurrency: 3 }))).toMatchObject({ condition: { status: "True" } });
  expect(applied[1]).toMatchObject({ metadata: { resourceVersion: "9" }, spec: { replicas: 4 } });
  // The cache is behind: the write is refused, nothing is said, and the next try sees the newer one.
  expect(await reconcile(pool({ concurrency: 4 }), { deployment: () => made })).toEqual({ requeue: "backoff" });
});

test("a changed Secret or ConfigMap rolls the pods, a field changed by hand is put back", async () => {
  const { reconcile, applied, put, find } = namespace();
  await reconcile();
  put({ ...named("Secret", "urls", { data: { uri: "eQ==" } }), metadata: { name: "urls", resourceVersion: "2" } });
  await reconcile();
  const { spec, ...made } = find<Deployment>("Deployment", "video") as Deployment;
  put({ ...made, spec: { ...spec, selector: { matchLabels: {} } } } as Deployment);
  await reconcile();
  const [first, second, third] = applied.map((one) => one.spec.template.metadata.annotations["longshore.dev/inputs"]);
  expect([first === second, second === third, applied.length]).toEqual([false, true, 3]);
});

const missing: readonly [what: string, remove: string, reason: string, message: RegExp][] = [
  ["Broker", "Broker/rabbitmq", "BrokerMissing", /^Broker rabbitmq does not exist\. Create the Broker/],
  ["Store", "Store/redis", "StoreMissing", /^Store redis does not exist/],
  ["Secret", "Secret/urls", "SecretMissing", /^Secret urls, which Broker rabbitmq names, does not exist/],
  ["ConfigMap", "ConfigMap/video-tasks", "TasksMissing", /^ConfigMap video-tasks, which spec\.tasks\.configMapRef names, does not exist/],
];
test.for(missing)("a missing %s is waited for, and the condition says what to do", async ([, remove, reason, message]) => {
  const { reconcile, objects, applied, put } = namespace();
  const taken = objects.get(remove) as KubeObject;
  objects.delete(remove);
  const { condition, requeue } = await reconcile();
  expect(condition).toMatchObject({ status: "False", reason, message: expect.stringMatching(message) });
  expect([requeue, applied]).toEqual([{ afterMs: 5_000 }, []]);
  put(taken);
  expect(await reconcile()).toMatchObject({ condition: { status: "True" } });
});

test("a Secret without the key says which it lacks", async () => {
  const { reconcile, put } = namespace();
  put(named("Secret", "urls", { data: { url: "eA==" } }));
  expect((await reconcile()).condition).toMatchObject({ reason: "SecretKeyMissing", message: expect.stringMatching(/has no key uri/) });
});

const stalled: readonly [why: string, spec: object, message: RegExp][] = [
  ["a queue that is no name", { queues: [["x"]] }, /spec\.queues\[0\]/],
  ["a template that is no template", { template: { spec: { containers: "x" } } }, /spec\.template\.spec\.containers is "x"/],
];
test.for(stalled)("%s waits for the user, with the field's path", async ([, spec, message]) => {
  const { reconcile, applied } = namespace();
  const bad = { ...pool(), spec: { ...pool().spec, ...spec } } as WorkerPool;
  expect(await reconcile(bad)).toMatchObject({
    condition: { reason: "InvalidSpec", message: expect.stringMatching(message) },
    requeue: "none",
  });
  expect(applied).toEqual([]);
});

const owner = (kind: string, uid: string) => ({ ownerReferences: [{ apiVersion: "x/v1", kind, name: "video", uid, controller: true }] });
const foreign: readonly [why: string, metadata: object, reason: string][] = [
  ["that nobody owns", {}, "Conflict"],
  ["of somebody else", owner("Rollout", "u9"), "Conflict"],
  ["of an earlier pool", owner("WorkerPool", "u0"), "Pending"],
  ["of ours", owner("WorkerPool", "u1"), "Ready"],
  ["that a pool left behind", { labels: { "longshore.dev/pool": "video" } }, "Ready"],
];
test.for(foreign)("a Deployment %s: %s", async ([, metadata, reason]) => {
  const { reconcile, put, applied } = namespace();
  put({ ...named("Deployment", "video", { spec: {} }), metadata: { name: "video", resourceVersion: "1", ...metadata } });
  const { condition } = await reconcile();
  expect([condition?.reason, applied.length]).toEqual([reason, reason === "Ready" ? 1 : 0]);
  // What the cache does not show is found all the same.
  if (reason !== "Ready") expect((await reconcile(pool(), { deployment: () => undefined })).condition?.reason).toBe(reason);
});

test("a pool that is being deleted is left alone", async () => {
  const { reconcile, applied } = namespace();
  await reconcile(pool({}, { deletionTimestamp: "2026-01-01T00:00:00Z" }));
  expect(applied).toEqual([]);
});

test("a pool has a budget for disruptions, applied once, and again when somebody changes it", async () => {
  const { reconcile, budgets, put, find } = namespace();
  await reconcile();
  await reconcile();
  expect(budgets).toEqual(["applied"]);
  expect(find<DisruptionBudget>("PodDisruptionBudget", "video")?.spec).toEqual({
    maxUnavailable: "25%",
    unhealthyPodEvictionPolicy: "AlwaysAllow",
    selector: { matchLabels: { "longshore.dev/pool": "video" } },
  });
  put({ ...budgetOf(pool()), spec: { maxUnavailable: 0 } } as DisruptionBudget);
  await reconcile();
  expect(budgets).toEqual(["applied", "applied"]);
});

test("a pool that wants no budget has none, and somebody else's is never touched", async () => {
  const { reconcile, budgets, put } = namespace();
  await reconcile();
  await reconcile(pool({ disruptionBudget: "None" }));
  await reconcile(pool({ disruptionBudget: "None" }));
  expect(budgets).toEqual(["applied", "deleted"]);
  put(named("PodDisruptionBudget", "video", { spec: { minAvailable: 1 } }));
  await reconcile();
  await reconcile(pool({ disruptionBudget: "None" }));
  expect(budgets).toEqual(["applied", "deleted"]);
});
