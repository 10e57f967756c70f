import type { Selection } from "../../operator/adapters/ports.ts";
import type { KubeObject } from "../../operator/runtime/object.ts";

/** Whether a list or watch shows an object. Label selectors by equality, inequality and existence; field selectors by name and namespace. */
export function selects({ namespace, labelSelector = "", fieldSelector = "" }: Selection, { metadata }: KubeObject): boolean {
  if (namespace !== undefined && metadata.namespace !== namespace) return false;
  const fields: Record<string, string | undefined> = { "metadata.name": metadata.name, "metadata.namespace": metadata.namespace };
  return (
    terms(labelSelector).every((term) => holds(term, metadata.labels ?? {})) && terms(fieldSelector).every((term) => holds(term, fields))
  );
}

const terms = (selector: string): readonly string[] => selector.split(",").filter((term) => term !== "");

function holds(term: string, values: Readonly<Record<string, string | undefined>>): boolean {
  const unequal = /^([^!=]+)!=(.*)$/.exec(term);
  if (unequal !== null) return values[unequal[1] ?? ""] !== unequal[2];
  const equal = /^([^!=]+)==?(.*)$/.exec(term);
  if (equal !== null) return values[equal[1] ?? ""] === equal[2];
  return term.startsWith("!") ? values[term.slice(1)] === undefined : values[term] !== undefined;
}
