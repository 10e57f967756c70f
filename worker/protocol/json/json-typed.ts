import { isMap } from "./is-value.ts";
import { JsonError } from "./json-error.ts";
import { PyDateTime, PyValue, type Value, type ValueMap } from "./value.ts";

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const TIME = /^\d{2}(:\d{2}(:\d{2}([.,]\d{1,9})?)?)?(Z|[+-]\d{2}:?\d{2}(:?\d{2}(\.\d+)?)?)?$/;
const DECIMAL = /^[+-]?(\d[\d_]*\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[+-]?(Infinity|Inf|s?NaN\d*)$/i;
const HEX = /^[0-9a-f]{32}$/i;
const BASE64 = /^[A-Za-z0-9+/\s]*={0,2}\s*$/;

/** What each `__type__` of kombu/utils/json.py stands for; undefined when the value does not fit the type. */
const READERS: Readonly<Record<string, (value: Value) => Value | undefined>> = {
  datetime: (value) => (typeof value === "string" ? new PyDateTime(value) : undefined),
  date: (value) => (typeof value === "string" && DATE.test(value) ? new PyValue("date", value) : undefined),
  time: (value) => (typeof value === "string" && TIME.test(value) ? new PyValue("time", value) : undefined),
  decimal: (value) => (typeof value === "string" && DECIMAL.test(value.trim()) ? new PyValue("decimal", value) : undefined),
  uuid: (value) => readUuid(value),
  bytes: (value) => (typeof value === "string" ? new TextEncoder().encode(value) : undefined),
  base64: (value) => (typeof value === "string" && BASE64.test(value) ? new Uint8Array(Buffer.from(value, "base64")) : undefined),
};

/**
 * kombu's object hook: an object with exactly the keys `__type__` and `__value__` is a typed value.
 * Throws JsonError for a type that is not known, as kombu does, and for a value that does not fit.
 */
export function reviveTyped(object: ValueMap): Value {
  if (!Object.hasOwn(object, "__type__") || !Object.hasOwn(object, "__value__") || Object.keys(object).length !== 2) return object;
  const type = object["__type__"];
  const reader = typeof type === "string" && Object.hasOwn(READERS, type) ? READERS[type] : undefined;
  if (reader === undefined) throw new JsonError("typed-value", `unsupported __type__ ${JSON.stringify(String(type)).slice(0, 60)}`);
  let value: Value | undefined;
  try {
    value = reader(object["__value__"] ?? null);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
  }
  if (value === undefined) throw new JsonError("typed-value", `__value__ is not a ${String(type)}`);
  return value;
}

/** The `__value__` of a typed value, as kombu writes it: `[type, value]`. */
export function typedParts(value: Date | Uint8Array | PyValue, formatDate: (date: Date) => string): readonly [string, Value] {
  if (value instanceof Date) return ["datetime", formatDate(value)];
  if (value instanceof PyValue) return [value.type, value.type === "uuid" ? { hex: value.text.replaceAll("-", "") } : value.text];
  try {
    return ["bytes", new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(value)];
  } catch {
    return ["base64", Buffer.from(value).toString("base64")]; // bytes that are no text, as kombu does
  }
}

function readUuid(value: Value): PyValue | undefined {
  if (!isMap(value) || typeof value["hex"] !== "string") return undefined;
  const hex = value["hex"].replace(/^urn:uuid:|[{}-]/g, "");
  if (!HEX.test(hex)) return undefined;
  const lower = hex.toLowerCase();
  const dashed = [lower.slice(0, 8), lower.slice(8, 12), lower.slice(12, 16), lower.slice(16, 20), lower.slice(20)].join("-");
  return new PyValue("uuid", dashed);
}
