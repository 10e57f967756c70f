import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadAccess } from "../../operator/adapters/kubernetes/access.ts";
import { createKube } from "../../operator/adapters/kubernetes/kube.ts";
import type { KubePort, Resource, WatchEvent } from "../../operator/adapters/ports.ts";
import type { KubeObject } from "../../operator/runtime/object.ts";
import { up } from "../cluster/cluster.ts";
import { createFakeKube } from "../fakes/kube.ts";

const CONFIG_MAPS: Resource = { group: "", version: "v1", plural: "configmaps", kind: "ConfigMap" };
const DEPLOYMENTS: Resource = { group: "apps", version: "v1", plural: "deployments", kind: "Deployment" };
const NAMESPACES: Resource = { group: "", version: "v1", plural: "namespaces", kind: "Namespace" };

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}
interface Deployment extends KubeObject {
  readonly spec: { readonly replicas?: number; readonly paused?: boolean };
  readonly status?: { readonly conditions?: readonly { readonly type: string }[] };
}

const namespace = `kube-contract-${process.pid}`;
const map = (name: string, data: Record<string, string> = {}, more: Partial<KubeObject["metadata"]> = {}): ConfigMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace, ...more },
  data,
});
const deployment = (name: string, replicas: number) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, namespace },
  spec: {
    paused: true,
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: "main", image: "none" }] } },
  },
});

const never = new AbortController().signal;
const ports: readonly [name: string, make: () => Promise<KubePort & Partial<Disposable>>][] = [
  ["the API in memory", async () => createFakeKube()],
  ["a real API server", async () => createKube(await loadAccess({ KUBECONFIG: (await up()).kubeconfig }), { random: Math.random })],
];

describe.each(ports)("%s", (_, make) => {
  let kube: KubePort & Partial<Disposable>;

  beforeAll(async () => {
    kube = await make();
    await kube.apply(NAMESPACES, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  });
  afterAll(async () => {
    await kube.delete(NAMESPACES, undefined, namespace);
    kube[Symbol.dispose]?.();
  });

  /** The events that come while `act` runs and until `count` are there, bookmarks aside. */
  async function observe(resource: Resource, labelSelector: string, count: number, act: () => Promise<unknown>) {
    const stop = new AbortController();
    const { resourceVersion } = await kube.list(resource, { namespace, labelSelector }, { limit: 500 }, stop.signal);
    const seen: Exclude<WatchEvent<ConfigMap>, { type: "BOOKMARK" }>[] = [];
    for await (const event of kube.watch<ConfigMap>(resource, { namespace, labelSelector }, resourceVersion, stop.signal)) {
      if (event.type === "BOOKMARK") {
        if (event.resourceVersion === resourceVersion) await act();
        continue;
      }
      seen.push(event);
      if (seen.length === count) break;
    }
    stop.abort();
    return seen;
  }

  test("what was created can be read, and creating it again is AlreadyExists", async () => {
    const made = await kube.create(CONFIG_MAPS, map("made", { a: "1" }));
    expect(made.metadata).toMatchObject({ name: "made", uid: expect.any(String), resourceVersion: expect.any(String) });
    expect(await kube.get<ConfigMap>(CONFIG_MAPS, namespace, "made")).toEqual(made);
    await expect(kube.create(CONFIG_MAPS, map("made"))).rejects.toMatchObject({ status: 409, reason: "AlreadyExists" });
  });

  test("what is not there reads as undefined, and deleting it is a success", async () => {
    expect(await kube.get(CONFIG_MAPS, namespace, "nobody")).toBeUndefined();
    await kube.delete(CONFIG_MAPS, namespace, "nobody");
    await expect(kube.patch(CONFIG_MAPS, namespace, "nobody", { data: {} })).rejects.toMatchObject({ status: 404, reason: "NotFound" });
  });

  test("apply makes, changes and takes away what it applied before, and leaves the rest", async () => {
    await kube.apply(CONFIG_MAPS, map("applied", { ours: "1", gone: "1" }));
    await kube.patch(CONFIG_MAPS, namespace, "applied", { metadata: { annotations: { "example.test/foreign": "kept" } } });
    const after = await kube.apply<ConfigMap>(CONFIG_MAPS, map("applied", { ours: "2" }));
    expect(after.data).toEqual({ ours: "2" });
    expect(after.metadata.annotations).toEqual({ "example.test/foreign": "kept" });
  });

  test("applying the same again changes no version", async () => {
    const first = await kube.apply(CONFIG_MAPS, map("same", { a: "1" }));
    const second = await kube.apply(CONFIG_MAPS, map("same", { a: "1" }));
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  });

  test("an object carries no managedFields", async () => {
    await kube.apply(CONFIG_MAPS, map("lean"));
    const page = await kube.list(CONFIG_MAPS, { namespace }, { limit: 500 }, never);
    const one = await kube.get(CONFIG_MAPS, namespace, "lean");
    for (const { metadata } of [...page.items, ...(one === undefined ? [] : [one])]) expect(metadata).not.toHaveProperty("managedFields");
  });

  const elsewhere = "00000000-0000-0000-0000-000000000000";
  test.for([
    ["resourceVersion", { resourceVersion: "1" }],
    ["uid", { uid: elsewhere }],
  ] as const)("a patch with another %s is a conflict", async ([, metadata]) => {
    await kube.apply(CONFIG_MAPS, map("patched", { a: "1" }));
    await expect(kube.patch(CONFIG_MAPS, namespace, "patched", { metadata, data: { a: "2" } })).rejects.toMatchObject({ status: 409 });
    expect(await kube.get<ConfigMap>(CONFIG_MAPS, namespace, "patched")).toMatchObject({ data: { a: "1" } });
  });

  test("applying with another uid is a conflict, to what is there and to what is gone", async () => {
    await kube.apply(CONFIG_MAPS, map("remade", { a: "1" }));
    await expect(kube.apply(CONFIG_MAPS, map("remade", { a: "2" }, { uid: elsewhere }))).rejects.toMatchObject({ status: 409 });
    await expect(kube.apply(CONFIG_MAPS, map("never", {}, { uid: elsewhere }))).rejects.toMatchObject({ status: 409 });
    expect(await kube.get<ConfigMap>(CONFIG_MAPS, namespace, "remade")).toMatchObject({ data: { a: "1" } });
  });

  test("the status of what is gone cannot be applied", async () => {
    const gone = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "gone", namespace }, status: {} };
    await expect(kube.apply(DEPLOYMENTS, gone, "status")).rejects.toMatchObject({ status: 404 });
  });

  test("an object with a finalizer stays, marked, until the finalizer goes", async () => {
    await kube.create(CONFIG_MAPS, map("held", {}, { finalizers: ["example.test/hold"] }));
    await kube.delete(CONFIG_MAPS, namespace, "held");
    const held = await kube.get(CONFIG_MAPS, namespace, "held");
    expect(held?.metadata.deletionTimestamp).toEqual(expect.any(String));
    await kube.patch(CONFIG_MAPS, namespace, "held", { metadata: { finalizers: null } });
    expect(await kube.get(CONFIG_MAPS, namespace, "held")).toBeUndefined();
  });

  test("deleting by a uid that is not the object's is a conflict", async () => {
    await kube.apply(CONFIG_MAPS, map("fenced"));
    await expect(kube.delete(CONFIG_MAPS, namespace, "fenced", { uid: "another" })).rejects.toMatchObject({ status: 409 });
    expect(await kube.get(CONFIG_MAPS, namespace, "fenced")).toBeDefined();
  });

  test("a list comes in pages, each with the same version, and items have apiVersion and kind", async () => {
    for (const name of ["page-1", "page-2", "page-3"]) await kube.apply(CONFIG_MAPS, map(name, {}, { labels: { page: "yes" } }));
    const selection = { namespace, labelSelector: "page=yes" };
    const first = await kube.list(CONFIG_MAPS, selection, { limit: 2 }, never);
    const second = await kube.list(CONFIG_MAPS, selection, { limit: 2, continue: first.continue ?? "" }, never);
    expect([...first.items, ...second.items].map(({ metadata }) => metadata.name)).toEqual(["page-1", "page-2", "page-3"]);
    expect(second).toMatchObject({ resourceVersion: first.resourceVersion });
    expect(second.continue).toBeUndefined();
    expect(first.items[0]).toMatchObject({ apiVersion: "v1", kind: "ConfigMap" });
  });

  test("a watch tells what is made, changed and deleted after the version", async () => {
    const labels = { watched: "life" };
    const seen = await observe(CONFIG_MAPS, "watched=life", 3, async () => {
      await kube.create(CONFIG_MAPS, map("life", { a: "1" }, { labels }));
      await kube.patch(CONFIG_MAPS, namespace, "life", { data: { a: "2" } });
      await kube.delete(CONFIG_MAPS, namespace, "life");
    });
    expect(seen.map(({ type, object }) => [type, object.data?.["a"]])).toEqual([
      ["ADDED", "1"],
      ["MODIFIED", "2"],
      ["DELETED", "2"],
    ]);
  });

  test("an object that leaves the selection is deleted to the watch", async () => {
    await kube.apply(CONFIG_MAPS, map("leaver", {}, { labels: { watched: "leave" } }));
    const seen = await observe(CONFIG_MAPS, "watched=leave", 1, () =>
      kube.patch(CONFIG_MAPS, namespace, "leaver", { metadata: { labels: { watched: null } } }),
    );
    expect(seen.map(({ type }) => type)).toEqual(["DELETED"]);
  });

  test("the generation grows with the spec, not with status; neither path writes the other's half", async () => {
    const conditions = [{ type: "Told", status: "True", reason: "Test", message: "" }];
    const made = await kube.apply<Deployment>(DEPLOYMENTS, deployment("generations", 0));
    const { apiVersion, kind, metadata } = deployment("generations", 0);
    const told = await kube.apply<Deployment>(DEPLOYMENTS, { apiVersion, kind, metadata, status: { conditions } } as KubeObject, "status");
    expect(told.status?.conditions).toContainEqual(expect.objectContaining({ type: "Told" }));
    expect(told.metadata.generation).toBe(made.metadata.generation);
    await kube.patch(DEPLOYMENTS, namespace, "generations", { spec: { replicas: 0, minReadySeconds: 3 }, status: { conditions: [] } });
    const after = await kube.get<Deployment>(DEPLOYMENTS, namespace, "generations");
    expect(after).toMatchObject({
      metadata: { generation: (made.metadata.generation ?? 0) + 1 },
      status: { conditions: expect.arrayContaining([expect.objectContaining({ type: "Told" })]) },
    });
  });

  test("the scale is changed through its subresource, and what was applied stays", async () => {
    await kube.create(DEPLOYMENTS, deployment("scaled", 0));
    await kube.patch(DEPLOYMENTS, namespace, "scaled", { spec: { replicas: 3 } }, "scale");
    expect(await kube.get(DEPLOYMENTS, namespace, "scaled")).toMatchObject({ spec: { replicas: 3, paused: true } });
    await kube.patch(DEPLOYMENTS, namespace, "scaled", { spec: { replicas: 0 } }, "scale");
  });

  test("an aborted watch ends", async () => {
    const stop = new AbortController();
    const { resourceVersion } = await kube.list(CONFIG_MAPS, { namespace }, { limit: 1 }, never);
    const watch = async () => {
      for await (const event of kube.watch(CONFIG_MAPS, { namespace }, resourceVersion, stop.signal))
        if (event.type === "BOOKMARK") stop.abort();
    };
    await expect(watch()).rejects.toMatchObject({ status: 0 });
  });
});
