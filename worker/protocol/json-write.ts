import { formatIso } from "./iso.ts";
import { JsonError } from "./json-error.ts";
import { typedParts } from "./json-typed.ts";
import { floatRepr } from "./number.ts";
import { PyDateTime, PyFloat, PyValue } from "./value.ts";

const NON_ASCII = /[\u007f-\uffff]/g;

/**
 * Writes a value byte for byte as Python's `json.dumps` with kombu's encoder: `", "` and `": "`, ASCII only, typed values.
 * `undefined` is left out of objects and is null elsewhere. `path` names the value in errors. Throws JsonError.
 */
export function writeJson(value: unknown, maxDepth: number): string {
  return write(value, "$", maxDepth, 0);
}

function write(value: unknown, path: string, maxDepth: number, depth: number): string {
  switch (typeof value) {
    case "string":
      return quote(value);
    case "number":
      return jsonNumber(value);
    case "boolean":
      return value ? "true" : "false";
    case "bigint":
      return value.toString();
    case "undefined":
      return "null";
    case "object":
      return value === null ? "null" : writeObject(value, path, maxDepth, depth);
    default:
      throw new JsonError("unserializable", `${path} is a ${typeof value}: a message carries data only`);
  }
}

function writeObject(value: object, path: string, maxDepth: number, depth: number): string {
  if (value instanceof PyFloat) return jsonFloat(value.value);
  if (depth >= maxDepth) throw new JsonError("depth", `${path.slice(0, 80)} is nested deeper than ${maxDepth}, or contains itself`);
  if (value instanceof Date || value instanceof Uint8Array || value instanceof PyValue) {
    if (value instanceof Date && Number.isNaN(value.getTime())) throw new JsonError("unserializable", `${path} is an invalid Date`);
    const [type, inner] = typedParts(value, (date) => (date instanceof PyDateTime ? date.isoText : formatIso(date.getTime())));
    return `{"__type__": "${type}", "__value__": ${write(inner, path, maxDepth, depth + 1)}}`;
  }
  if (Array.isArray(value)) {
    return `[${value.map((item: unknown, index) => write(item, `${path}[${index}]`, maxDepth, depth + 1)).join(", ")}]`;
  }
  if (value instanceof Set) return write([...value], path, maxDepth, depth);
  if (value instanceof Map) return write(Object.fromEntries(value), path, maxDepth, depth);
  if ("toJSON" in value && typeof value.toJSON === "function") return write(value.toJSON(), path, maxDepth, depth + 1);
  const parts: string[] = [];
  for (const [key, item] of Object.entries(value)) {
    if (item !== undefined) parts.push(`${quote(key)}: ${write(item, `${path}.${key}`, maxDepth, depth + 1)}`);
  }
  return `{${parts.join(", ")}}`;
}

/** `json.dumps` escapes what `JSON.stringify` escapes, and everything beyond ASCII, as UTF-16 units in lower-case hex. */
function quote(text: string): string {
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
