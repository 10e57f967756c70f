import { expect, test } from "vitest";
import { createFakeKube } from "../../../test/fakes/kube.ts";
import type { Resource } from "../../adapters/ports.ts";
import type { KubeObject } from "../object.ts";
import { fenced } from "./fence.ts";

const PODS: Resource = { group: "", version: "v1", plural: "pods", kind: "Pod" };
const pod: KubeObject = { apiVersion: "v1", kind: "Pod", metadata: { name: "p", namespace: "shop" } };

test("within its term it is the API itself", async () => {
  const kube = fenced(createFakeKube(), new AbortController().signal);
  await kube.create(PODS, pod);
  await kube.patch(PODS, "shop", "p", { metadata: { labels: { a: "1" } } });
  expect(await kube.get(PODS, "shop", "p")).toMatchObject({ metadata: { labels: { a: "1" } } });
});

test("after its term no call reaches the API", async () => {
  const api = createFakeKube();
  const kube = fenced(api, AbortSignal.abort());
  const calls = [
    kube.create(PODS, pod),
    kube.apply(PODS, pod),
    kube.patch(PODS, "shop", "p", {}),
    kube.delete(PODS, "shop", "p"),
    kube.get(PODS, "shop", "p"),
  ];
  for (const call of calls) await expect(call).rejects.toMatchObject({ status: 0, reason: "TermEnded" });
  expect(api.calls).toEqual([]);
});

test("a call that hangs ends with the term", async () => {
  const term = new AbortController();
  const kube = fenced({ ...createFakeKube(), get: () => new Promise(() => {}) }, term.signal);
  const call = kube.get(PODS, "shop", "p");
  term.abort();
  await expect(call).rejects.toMatchObject({ reason: "TermEnded" });
});
