import type { Resource, Selection } from "../ports.ts";

/** Path of a resource's collection or of one object: `/apis/<group>/<version>/namespaces/<namespace>/<plural>/<name>/<subresource>`. */
export function pathOf({ group, version, plural }: Resource, namespace: string | undefined, name?: string, subresource?: string): string {
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  const scope = namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  const one = name === undefined ? "" : `/${encodeURIComponent(name)}`;
  return `${root}${scope}/${plural}${one}${subresource === undefined ? "" : `/${subresource}`}`;
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** Only what is set. */
export function withQuery(path: string, query: Query): string {
  const set = Object.entries(query).flatMap(([key, value]): [string, string][] => (value === undefined ? [] : [[key, String(value)]]));
  return set.length === 0 ? path : `${path}?${new URLSearchParams(set).toString()}`;
}

export const selectors = ({ labelSelector, fieldSelector }: Selection): Query => ({ labelSelector, fieldSelector });
