import { formatIso } from "./iso.ts";
import { JsonError } from "./json-error.ts";
import { typedParts } from "./json-typed.ts";
import { floatRepr } from "./number.ts";
import { PyDateTime, PyFloat, PyValue } from "./value.ts";

/** Nothing to escape. */
const PLAIN = /^[ !#-[\]-~]*$/;
const NON_ASCII = /[\u007f-\uffff]/g;

/**
 * Writes a value byte for byte as Python's `json.dumps` with kombu's encoder: `", "` and `": "`, ASCII only, typed values.
 * `undefined` is left out of objects and is null elsewhere. Throws JsonError that names the place, such as `$.clips[3].run`.
 */
export function writeJson(value: unknown, maxDepth: number): string {
  return write(value, [], maxDepth);
}

/** Where the writing is: keys and indices. */
type Path = (string | number)[];

function fail(path: Path, code: JsonError["code"], what: string): never {
  const place = path.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`)).join("");
  throw new JsonError(code, `$${place.length > 80 ? `${place.slice(0, 80)}…` : place} ${what}`);
}

function step(key: string | number, item: unknown, path: Path, maxDepth: number): string {
  path.push(key);
  const text = write(item, path, maxDepth);
  path.pop();
  return text;
}

function write(item: unknown, path: Path, maxDepth: number): string {
  switch (typeof item) {
    case "string":
      return quote(item);
    case "number":
      return jsonNumber(item);
    case "boolean":
      return item ? "true" : "false";
    case "bigint":
      return item.toString();
    case "undefined":
      return "null";
    case "object":
      return item === null ? "null" : writeObject(item, path, maxDepth);
    default:
      return fail(path, "unserializable", `is a ${typeof item}: a message carries data only`);
  }
}

function writeObject(item: object, path: Path, maxDepth: number): string {
  if (item instanceof PyFloat) return jsonFloat(item.value);
  if (path.length >= maxDepth) return fail(path, "depth", `is nested deeper than ${maxDepth}, or contains itself`);
  if (item instanceof Date || item instanceof Uint8Array || item instanceof PyValue) {
    if (item instanceof Date && Number.isNaN(item.getTime())) return fail(path, "unserializable", "is an invalid Date");
    const [type, inner] = typedParts(item, (date) => (date instanceof PyDateTime ? date.isoText : formatIso(date.getTime())));
    return `{"__type__": "${type}", "__value__": ${write(inner, path, maxDepth)}}`;
  }
  if (Array.isArray(item)) return `[${item.map((each: unknown, index) => step(index, each, path, maxDepth)).join(", ")}]`;
  if (item instanceof Set) return write([...item], path, maxDepth);
  if (item instanceof Map) return write(Object.fromEntries(item), path, maxDepth);
  if ("toJSON" in item && typeof item.toJSON === "function") return step("toJSON()", item.toJSON(), path, maxDepth);
  let text = "";
  for (const key of Object.keys(item)) {
    const each: unknown = (item as Readonly<Record<string, unknown>>)[key];
    if (each !== undefined) text += `${text === "" ? "" : ", "}${quote(key)}: ${step(key, each, path, maxDepth)}`;
  }
  return `{${text}}`;
}

/** `json.dumps` escapes what `JSON.stringify` escapes, and everything beyond ASCII, as UTF-16 units in lower-case hex. */
function quote(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  return JSON.stringify(text).replace(NON_ASCII, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function jsonNumber(value: number): string {
  return Number.isSafeInteger(value) && !Object.is(value, -0) ? String(value) : jsonFloat(value);
}

function jsonFloat(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "Infinity" : "-Infinity";
  return floatRepr(value);
}
