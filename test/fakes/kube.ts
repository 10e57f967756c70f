import { isDeepStrictEqual } from "node:util";
import type { KubePort, Resource } from "../../operator/adapters/ports.ts";
import { KubeError } from "../../operator/runtime/kube-error.ts";
import type { KubeObject, ObjectMeta } from "../../operator/runtime/object.ts";
import { applyPatch, child, isObject, type Json, mergePatch } from "./json-object.ts";
import { createHistory, typeOf } from "./kube-history.ts";
import { selects } from "./selects.ts";

export interface KubeCall {
  readonly verb: "list" | "watch" | "get" | "create" | "apply" | "patch" | "delete";
  readonly resource: string;
  readonly name: string;
  readonly subresource?: string;
  readonly body?: object;
}

/** An API server in memory. It checks no schema and knows no owner references; a list in an applied object counts as one value. */
export interface FakeKube extends KubePort {
  /** Every call so far, in order. */
  readonly calls: readonly KubeCall[];
  /** Puts an object there as it is, its status too. */
  seed<T extends KubeObject>(resource: Resource, object: T): T;
  /** Takes it away at once, finalizers or not. */
  vanish(resource: Resource, namespace: string | undefined, name: string): void;
  /** The next call that fits fails with this. */
  failNext(verb: KubeCall["verb"], error: Error): void;
  /** Ends every watch, as a restart of the API server does; with an error, as a lost connection. */
  endWatches(error?: Error): void;
  /** Forgets history: whoever watches from before gets 410. */
  compact(): void;
  readonly watches: number;
}

export function createFakeKube(): FakeKube {
  const objects = new Map<string, KubeObject>();
  const applied = new Map<string, unknown>();
  const history = createHistory();
  const calls: KubeCall[] = [];
  const failures: { readonly verb: KubeCall["verb"]; readonly error: Error }[] = [];
  let version = 1;

  const idOf = (resource: Resource, namespace: string | undefined, name: string) => `${typeOf(resource)}/${namespace ?? ""}/${name}`;
  const called = (call: KubeCall): void => {
    calls.push(call);
    const index = failures.findIndex(({ verb }) => verb === call.verb);
    const [failure] = index < 0 ? [] : failures.splice(index, 1);
    if (failure !== undefined) throw failure.error;
  };
  const store = (resource: Resource, id: string, wanted: KubeObject | undefined): KubeObject | undefined => {
    const before = objects.get(id);
    if (before === undefined && wanted === undefined) return undefined;
    if (before !== undefined && wanted !== undefined && isDeepStrictEqual(before, wanted)) return before;
    version++;
    const stamp = (object: KubeObject): KubeObject => ({ ...object, metadata: { ...object.metadata, resourceVersion: String(version) } });
    const gone =
      wanted === undefined || (wanted.metadata.deletionTimestamp !== undefined && (wanted.metadata.finalizers ?? []).length === 0);
    const after = stamp(wanted ?? before!);
    if (gone) objects.delete(id);
    else objects.set(id, after);
    if (gone) for (const key of applied.keys()) if (key.startsWith(`${id}#`)) applied.delete(key);
    const entry = { version, type: typeOf(resource), ...(before === undefined ? {} : { before }) };
    history.record(gone ? { ...entry, before: after } : { ...entry, after });
    return after;
  };
  const insert = (resource: Resource, object: KubeObject): KubeObject => {
    const { namespace, name } = object.metadata;
    const made = { uid: `uid-${version + 1}`, generation: 1, creationTimestamp: "2026-01-01T00:00:00Z", ...object.metadata };
    const metadata: ObjectMeta = made;
    return store(resource, idOf(resource, namespace, name), structuredClone({ ...object, metadata })) ?? object;
  };
  const write = (resource: Resource, before: KubeObject, patch: Json, subresource?: string): KubeObject => {
    const { resourceVersion, uid } = before.metadata;
    const conflict = (what: string) => new KubeError(409, "Conflict", `${before.metadata.name}: ${what} differs`);
    const [asked, id] = [child(patch["metadata"], "resourceVersion"), child(patch["metadata"], "uid")];
    if (asked !== undefined && asked !== resourceVersion) throw conflict("resourceVersion");
    if (id !== undefined && id !== uid) throw conflict("uid");
    const seen =
      subresource === "status" ? { status: patch["status"] } : subresource === "scale" ? { spec: patch["spec"] } : omit(patch, "status");
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a patched object is an object of its kind, as with the real API
    const after = mergePatch(before, structuredClone(seen)) as KubeObject;
    const changed = !isDeepStrictEqual(child(before, "spec"), child(after, "spec"));
    const generation = (before.metadata.generation ?? 1) + (changed ? 1 : 0);
    const metadata: ObjectMeta = { ...after.metadata, generation, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
    return store(resource, idOf(resource, metadata.namespace, metadata.name), { ...after, metadata }) ?? after;
  };
  const missing = (resource: Resource, name: string) => new KubeError(404, "NotFound", `${resource.plural} "${name}" not found`);

  const fake: FakeKube = {
    calls,
    async list<T extends KubeObject>(
      resource: Resource,
      selection: Parameters<KubePort["list"]>[1],
      page: { limit: number; continue?: string },
    ) {
      called({ verb: "list", resource: resource.plural, name: "" });
      const all = [...objects].filter(([id, object]) => id.startsWith(`${typeOf(resource)}/`) && selects(selection, object));
      const from = Number(page.continue ?? 0);
      const next = from + page.limit;
      const items = all.slice(from, next).map(([, object]) => returned<T>(object));
      return { items, resourceVersion: String(version), ...(next < all.length ? { continue: String(next) } : {}) };
    },
    watch(resource, selection, resourceVersion, signal) {
      called({ verb: "watch", resource: resource.plural, name: "" });
      return history.watch(resource, selection, Number(resourceVersion), signal);
    },
    async get<T extends KubeObject>(resource: Resource, namespace: string | undefined, name: string) {
      called({ verb: "get", resource: resource.plural, name });
      const object = objects.get(idOf(resource, namespace, name));
      return object === undefined ? undefined : returned<T>(object);
    },
    async create<T extends KubeObject>(resource: Resource, object: T) {
      const { namespace, name } = object.metadata;
      called({ verb: "create", resource: resource.plural, name, body: object });
      if (objects.has(idOf(resource, namespace, name)))
        throw new KubeError(409, "AlreadyExists", `${resource.plural} "${name}" already exists`);
      return returned<T>(insert(resource, object));
    },
    async apply<T extends KubeObject>(resource: Resource, object: KubeObject, subresource?: "status") {
      const { namespace, name } = object.metadata;
      called({ verb: "apply", resource: resource.plural, name, body: object, ...(subresource === undefined ? {} : { subresource }) });
      const id = idOf(resource, namespace, name);
      const before = objects.get(id);
      if (before === undefined && subresource !== undefined) throw missing(resource, name);
      if (object.metadata.uid !== undefined && object.metadata.uid !== before?.metadata.uid)
        throw new KubeError(409, "Conflict", `${name}: uid mismatch`);
      const slot = `${id}#${subresource ?? ""}`;
      const patch = applyPatch(applied.get(slot), structuredClone(object));
      const after = before === undefined ? insert(resource, object) : write(resource, before, isObject(patch) ? patch : {}, subresource);
      applied.set(slot, structuredClone(object));
      return returned<T>(after);
    },
    async patch<T extends KubeObject>(
      resource: Resource,
      namespace: string | undefined,
      name: string,
      patch: object,
      subresource?: "scale" | "status",
    ) {
      called({ verb: "patch", resource: resource.plural, name, body: patch, ...(subresource === undefined ? {} : { subresource }) });
      const before = objects.get(idOf(resource, namespace, name));
      if (before === undefined) throw missing(resource, name);
      return returned<T>(write(resource, before, isObject(patch) ? patch : {}, subresource));
    },
    async delete(resource, namespace, name, options = {}) {
      called({ verb: "delete", resource: resource.plural, name, body: options });
      const id = idOf(resource, namespace, name);
      const object = objects.get(id);
      if (object === undefined) return;
      if (options.uid !== undefined && options.uid !== object.metadata.uid) throw new KubeError(409, "Conflict", `${name}: uid differs`);
      const marked = { ...object, metadata: { ...object.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };
      store(resource, id, (object.metadata.finalizers ?? []).length > 0 ? marked : undefined);
    },
    seed: <T extends KubeObject>(resource: Resource, object: T) => returned<T>(insert(resource, object)),
    vanish: (resource, namespace, name) => void store(resource, idOf(resource, namespace, name), undefined),
    failNext: (verb, error) => void failures.push({ verb, error }),
    endWatches: (error) => history.endWatches(error),
    compact: () => history.compact(version),
    get watches() {
      return history.watches;
    },
  };
  return fake;
}

const omit = (value: Json, key: string): Json => Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller says what the resource holds, as with the real API
const returned = <T extends KubeObject>(object: KubeObject): T => structuredClone(object) as T;
