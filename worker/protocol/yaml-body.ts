import { parseDocument, type ScalarTag, visit } from "yaml";
import { isValue } from "./json/is-value.ts";
import { JsonError } from "./json/json-error.ts";
import { PyValue, type Value } from "./json/value.ts";

const MAX_BYTES = 1_048_576;

/** PyYAML reads a day alone as a date, not as midnight. */
const dateTag: ScalarTag = {
  tag: "tag:yaml.org,2002:timestamp",
  default: true,
  test: /^\d{4}-\d{2}-\d{2}$/,
  resolve: (text) => new PyValue("date", text),
};

/** Integers beyond 2^53 keep their digits; the others are numbers. */
const smallInteger = (item: unknown): unknown =>
  typeof item === "bigint" && item >= Number.MIN_SAFE_INTEGER && item <= Number.MAX_SAFE_INTEGER ? Number(item) : item;

/**
 * Reads one YAML 1.1 document, as kombu's `application/x-yaml` carries tasks (PyYAML's safe loader). Without aliases, which let a small text
 * become a huge value, and without tags that make objects. Whole floats are not told apart from integers. Throws JsonError.
 */
export function decodeYaml(bytes: Uint8Array): Value {
  if (bytes.length > MAX_BYTES) throw new JsonError("size", `${bytes.length} bytes of YAML, more than the ${MAX_BYTES} that are taken`);
  const document = parseDocument(Buffer.from(bytes).toString(), {
    version: "1.1",
    schema: "yaml-1.1",
    customTags: (tags) => [dateTag, ...tags],
    intAsBigInt: true,
    uniqueKeys: true,
  });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) throw new JsonError("syntax", problem.message.split("\n", 1)[0] ?? "not YAML");
  visit(document, {
    Alias() {
      throw new JsonError("syntax", "aliases are refused");
    },
  });
  const value: unknown = document.toJS({ maxAliasCount: 0, reviver: (_key, item: unknown) => smallInteger(item) });
  if (!isValue(value)) throw new JsonError("syntax", "a value that no message can carry");
  return value;
}
