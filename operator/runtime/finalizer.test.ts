import { expect, test } from "vitest";
import { createFakeKube } from "../../test/fakes/kube.ts";
import type { Resource } from "../adapters/ports.ts";
import { addFinalizer, FINALIZER, removeFinalizer } from "./finalizer.ts";
import type { KubeObject } from "./object.ts";

const QUEUES: Resource = { group: "longshore.dev", version: "v1alpha1", plural: "queues", kind: "Queue" };
const queue = (finalizers: readonly string[]): KubeObject => ({
  apiVersion: "longshore.dev/v1alpha1",
  kind: "Queue",
  metadata: { name: "orders", namespace: "shop", finalizers },
});
const finalizersOf = async (kube: ReturnType<typeof createFakeKube>) => (await kube.get(QUEUES, "shop", "orders"))?.metadata.finalizers;

const cases: readonly [
  why: string,
  act: typeof addFinalizer | typeof removeFinalizer,
  before: string[],
  after: string[],
  patches: number,
][] = [
  ["adding keeps those of others", addFinalizer, ["other/one"], ["other/one", FINALIZER], 1],
  ["adding twice is once", addFinalizer, [FINALIZER], [FINALIZER], 0],
  ["removing keeps those of others", removeFinalizer, ["other/one", FINALIZER, "other/two"], ["other/one", "other/two"], 1],
  ["removing what is not there does nothing", removeFinalizer, ["other/one"], ["other/one"], 0],
];
test.for(cases)("%s", async ([, act, before, after, patches]) => {
  const kube = createFakeKube();
  const object = kube.seed(QUEUES, queue(before));
  await act(kube, QUEUES, object);
  expect(await finalizersOf(kube)).toEqual(after);
  expect(kube.calls.filter(({ verb }) => verb === "patch")).toHaveLength(patches);
});

test.for([
  ["adding", addFinalizer, []],
  ["removing", removeFinalizer, [FINALIZER]],
] as const)("%s on an old version is a conflict and changes nothing", async ([, act, before]) => {
  const kube = createFakeKube();
  const old = kube.seed(QUEUES, queue(before));
  await kube.patch(QUEUES, "shop", "orders", { metadata: { finalizers: ["other/new", ...before] } });
  await expect(act(kube, QUEUES, old)).rejects.toMatchObject({ status: 409 });
  expect(await finalizersOf(kube)).toEqual(["other/new", ...before]);
});

test("an object that is being deleted gets no finalizer", async () => {
  const kube = createFakeKube();
  kube.seed(QUEUES, queue(["other/one"]));
  await kube.delete(QUEUES, "shop", "orders");
  const object = await kube.get(QUEUES, "shop", "orders");
  await addFinalizer(kube, QUEUES, object ?? queue([]));
  expect(await finalizersOf(kube)).toEqual(["other/one"]);
});

test("removing the last finalizer of a deleted object lets it go, and removing it again is a success", async () => {
  const kube = createFakeKube();
  kube.seed(QUEUES, queue([FINALIZER]));
  await kube.delete(QUEUES, "shop", "orders");
  const object = await kube.get(QUEUES, "shop", "orders");
  await removeFinalizer(kube, QUEUES, object ?? queue([]));
  expect(await kube.get(QUEUES, "shop", "orders")).toBeUndefined();
  await removeFinalizer(kube, QUEUES, object ?? queue([]));
});
