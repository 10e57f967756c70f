/** Kubernetes' strategic merge, for the part of it that a pod template can meet. Pure. */

type Tree = Readonly<Record<string, unknown>>;

/**
 * Lists whose items are merged by a key, as the Kubernetes API declares them (`patchMergeKey`); every other list is replaced whole.
 * https://github.com/kubernetes/api/blob/v0.36.0/core/v1/types.go
 */
const MERGE_KEYS: Readonly<Record<string, string>> = {
  containers: "name",
  initContainers: "name",
  ephemeralContainers: "name",
  env: "name",
  volumes: "name",
  volumeMounts: "mountPath",
  volumeDevices: "devicePath",
  ports: "containerPort",
  imagePullSecrets: "name",
  hostAliases: "ip",
  topologySpreadConstraints: "topologyKey",
  resourceClaims: "name",
};

/** Items that say one of several things: the user's replaces ours whole, or both would be said at once, which the API refuses. */
const REPLACED_WHOLE = new Set(["env", "volumes"]);

/** The ways in which a probe can ask, of which it must use one. */
const PROBE_HANDLERS = ["exec", "grpc", "httpGet", "tcpSocket"];

/** A template that cannot be merged: `message` names the field, what was found and what is expected. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";
}

/**
 * Merges the user's template over ours: maps by field, lists as Kubernetes does, `null` takes a field away, `$patch: delete` an item of a keyed
 * list, `$patch: replace` a whole map. Never changes its arguments, never checks what the API server will check.
 * Throws `TemplateError` where the shape does not allow merging.
 */
export function mergeTemplate<T extends Tree>(ours: T, theirs: Tree, at = "spec.template"): T {
  return mergeMap(ours, theirs, at) as T;
}

function mergeMap(ours: Tree, theirs: Tree, at: string): Tree {
  const { $patch: directive, ...fields } = theirs;
  if (directive === "replace") return fields;
  if (directive !== undefined) throw new TemplateError(`${at}.$patch is ${show(directive)}; here it can only be replace`);
  const merged: Record<string, unknown> = { ...ours };
  if (PROBE_HANDLERS.some((handler) => isTree(fields[handler])))
    for (const handler of PROBE_HANDLERS) if (!(handler in fields)) delete merged[handler];
  for (const [name, value] of Object.entries(fields)) {
    if (value === null) delete merged[name];
    else merged[name] = mergeValue(name, merged[name], value, `${at}.${name}`);
  }
  return merged;
}

function mergeValue(name: string, ours: unknown, theirs: unknown, at: string): unknown {
  if (isTree(ours)) {
    if (!isTree(theirs)) throw new TemplateError(`${at} is ${show(theirs)}; it must be a map`);
    return mergeMap(ours, theirs, at);
  }
  const key = MERGE_KEYS[name];
  if (key !== undefined && (Array.isArray(ours) || Array.isArray(theirs)))
    return mergeList(name, key, asList(ours ?? [], at), asList(theirs, at), at);
  if (Array.isArray(ours) && !Array.isArray(theirs)) throw new TemplateError(`${at} is ${show(theirs)}; it must be a list`);
  // Where we say nothing, their directives have nothing to be applied to, but must not reach the API server either.
  return isTree(theirs) ? mergeMap({}, theirs, at) : theirs;
}

function mergeList(name: string, key: string, ours: readonly unknown[], theirs: readonly unknown[], at: string): readonly unknown[] {
  const merged = [...ours] as Tree[];
  for (const [index, item] of theirs.entries()) {
    const place = `${at}[${index}]`;
    if (!isTree(item)) throw new TemplateError(`${place} is ${show(item)}; it must be a map with ${key}`);
    const id = item[key];
    if (typeof id !== "string" && typeof id !== "number")
      throw new TemplateError(`${place}.${key} is missing; items of ${name} are merged by it`);
    const found = merged.findIndex((one) => one[key] === id);
    if (item["$patch"] === "delete") {
      if (found >= 0) merged.splice(found, 1);
      continue;
    }
    const base = found < 0 || REPLACED_WHOLE.has(name) ? {} : (merged[found] as Tree);
    merged.splice(found < 0 ? merged.length : found, 1, mergeMap(base, item, place));
  }
  return merged;
}

function asList(value: unknown, at: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new TemplateError(`${at} is ${show(value)}; it must be a list`);
  return value;
}

const isTree = (value: unknown): value is Tree => typeof value === "object" && value !== null && !Array.isArray(value);

const show = (value: unknown): string => (Array.isArray(value) ? "a list" : isTree(value) ? "a map" : JSON.stringify(value));
