import { dependencyFailed, type Joined } from "../protocol/canvas/chord.ts";
import { isList, isMap } from "../protocol/json/is-value.ts";
import { decodeJson } from "../protocol/json/json.ts";
import type { Value } from "../protocol/json/value.ts";
import type { StoredResult } from "../protocol/result.ts";
import { isReady } from "../protocol/states.ts";

/** The group that `apply_chord` saved, `[[id, parent], [results…]]`; undefined when the text is none. Throws JsonError for no JSON. */
export function savedGroup(text: string): Value | undefined {
  const saved = decodeJson(text);
  const result = isMap(saved) ? saved["result"] : undefined;
  return isList(result) && isList(result[1]) ? result : undefined;
}

/** `AsyncResult.as_tuple()` is `[[id, parent], null]`, `GroupResult.as_tuple()` has the list of its results instead of null. */
const partsOf = (tuple: Value): { readonly id: string; readonly children: readonly Value[] | undefined } => {
  if (!isList(tuple)) return { id: String(tuple), children: undefined };
  const [head, children] = tuple;
  return { id: String(isList(head) ? head[0] : head), children: isList(children) ? children : undefined };
};

/** The ids of all tasks in a nested group, in order. */
export function taskIds(tuple: Value): readonly string[] {
  const { id, children } = partsOf(tuple);
  return children === undefined ? [id] : children.flatMap(taskIds);
}

/** The results of a nested group in its shape; the error of the first that failed; undefined while one is not ready. */
export function fillGroup(group: Value, results: ReadonlyMap<string, StoredResult>): Joined | undefined {
  const ids = taskIds(group);
  for (const id of ids) {
    const row = results.get(id);
    if (row === undefined || !isReady(row.state)) continue;
    if (row.state === "SUCCESS") continue;
    return dependencyFailed(id, row.error);
  }
  if (!ids.every((id) => results.get(id)?.state === "SUCCESS")) return undefined;
  const fill = (tuple: Value): Value => {
    const { id, children } = partsOf(tuple);
    return children === undefined ? (results.get(id)?.result ?? null) : children.map(fill);
  };
  return { results: partsOf(group).children?.map(fill) ?? [] };
}
