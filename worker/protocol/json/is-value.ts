import { PyFloat, PyValue, type Value, type ValueMap } from "./value.ts";

/** Whether a message can carry it as it is. Never throws; what contains itself, or is 100 levels deep, is no value. */
export function isValue(value: unknown, depth = 0): value is Value {
  switch (typeof value) {
    case "string":
    case "number":
    case "boolean":
    case "bigint":
      return true;
    case "object":
      if (value === null || value instanceof Date || value instanceof Uint8Array || value instanceof PyValue || value instanceof PyFloat)
        return true;
      if (depth > 100) return false;
      if (Array.isArray(value)) return value.every((item) => isValue(item, depth + 1));
      return isPlain(value) && Object.values(value).every((item) => item === undefined || isValue(item, depth + 1));
    default:
      return false;
  }
}

/** Whether a decoded value is an object with keys: no array, no date, no bytes. */
export function isMap(value: Value | undefined): value is ValueMap {
  return typeof value === "object" && value !== null && isPlain(value);
}

/** Whether a decoded value is a list. `Array.isArray` does not narrow a readonly array. */
export function isList(value: unknown): value is readonly Value[] {
  return Array.isArray(value);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
