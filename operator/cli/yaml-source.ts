import { isMap, LineCounter, parseAllDocuments } from "yaml";

/** One YAML document of a file, which knows where each of its fields stands. */
export interface YamlObject {
  readonly value: Readonly<Record<string, unknown>>;
  /** `file:line` of a field; of the closest field around it where it is missing. */
  readonly where: (path: readonly PropertyKey[]) => string;
}

/** A mistake of the user's, in words: which file, which line, which field, what was found, what is expected. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Every Kubernetes object in the text; `List` is opened. Throws `UsageError` for what is not YAML or not a map. */
export function readObjects(text: string, file: string): readonly YamlObject[] {
  const lines = new LineCounter();
  const objects: YamlObject[] = [];
  for (const document of parseAllDocuments(text, { lineCounter: lines })) {
    const [error] = document.errors;
    if (error !== undefined) throw new UsageError(`${file}:${lines.linePos(error.pos[0]).line}: not YAML: ${error.message.split("\n")[0]}`);
    if (document.contents === null) continue;
    const lineOf = (path: readonly PropertyKey[]): number => {
      for (let length = path.length; length >= 0; length--) {
        const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
        if (typeof node === "object" && node !== null && "range" in node && Array.isArray(node.range)) {
          return lines.linePos(Number(node.range[0])).line;
        }
      }
      return 1;
    };
    if (!isMap(document.contents))
      throw new UsageError(`${file}:${lineOf([])}: expected a Kubernetes object: apiVersion, kind, metadata, spec`);
    const value = document.toJS() as Record<string, unknown>;
    const items = value["kind"] === "List" && Array.isArray(value["items"]) ? (value["items"] as readonly unknown[]) : undefined;
    const at = (base: readonly PropertyKey[]) => (path: readonly PropertyKey[]) => `${file}:${lineOf([...base, ...path])}`;
    if (items === undefined) objects.push({ value, where: at([]) });
    else for (const [index, item] of items.entries()) objects.push({ value: asMap(item), where: at(["items", index]) });
  }
  return objects;
}

/** The value as a map; an empty one when it is none. */
export const asMap = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
