import { expect, test } from "vitest";
import type { KubePort, Resource } from "../../adapters/ports.ts";
import { inLanes } from "./lanes.ts";

const resource = (plural: string): Resource => ({ group: "", version: "v1", plural, kind: plural });
const PODS = resource("pods");
const object = (name: string) => ({ apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "a" } });

/** An API whose writes end when they are told to, and that counts those under way. */
function slowKube() {
  const underWay: { readonly what: string; readonly end: () => void; readonly fail: () => void }[] = [];
  const write = (what: string) =>
    new Promise<never>((resolve, reject) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nobody looks at the answer
      underWay.push({ what, end: () => resolve(undefined as never), fail: () => reject(new Error(what)) });
    });
  const refuse = () => Promise.reject(new Error("not asked for here"));
  const kube: KubePort = {
    list: refuse,
    watch: () => {
      throw new Error("not asked for here");
    },
    get: (_, __, name) => write(`get ${name}`),
    create: ({ plural }) => write(`create ${plural}`),
    apply: (_, { metadata }, subresource) => write(`apply ${metadata.name} ${subresource ?? ""}`),
    patch: (_, __, name) => write(`patch ${name}`),
    delete: (_, __, name) => write(`delete ${name}`),
  };
  return { kube, underWay };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("a thousand reports leave room for a decision, a lease and a read", async () => {
  const { kube, underWay } = slowKube();
  const laned = inLanes(kube);
  for (let at = 0; at < 1_000; at++) void laned.apply(PODS, object(`p${at}`), "status");
  const reports = underWay.length;
  expect(reports).toBeGreaterThan(0);
  expect(reports).toBeLessThan(20);
  void laned.patch(PODS, "a", "scale", {}, "scale");
  void laned.patch(resource("leases"), "a", "lease", {});
  void laned.get(PODS, "a", "read");
  await settled();
  expect(underWay.slice(reports).map(({ what }) => what)).toEqual(["patch scale", "patch lease", "get read"]);
});

test("what waits comes in order, one for each that ends, be it with an error", async () => {
  const { kube, underWay } = slowKube();
  const laned = inLanes(kube);
  const all = Array.from({ length: 100 }, (_, at) => laned.patch(PODS, "a", `p${at}`, {}).catch((error: unknown) => String(error)));
  const lanes = underWay.length;
  for (let at = 0; at < 100; at++) {
    expect(underWay).toHaveLength(Math.min(100, lanes + at));
    underWay[at]?.[at % 2 === 0 ? "end" : "fail"]();
    await settled();
  }
  expect(underWay.map(({ what }) => what)).toEqual(Array.from({ length: 100 }, (_, at) => `patch p${at}`));
  expect((await Promise.all(all)).filter((answer) => answer === "Error: patch p1")).toHaveLength(1);
});
