import { isList } from "../json/is-value.ts";
import type { Value, ValueMap } from "../json/value.ts";
import { pyRepr, strRepr } from "../repr.ts";

/** An argument that is missing or wrong; the text is Python's repr of the exception that Celery would have answered with. */
export class ControlError extends Error {
  constructor(type: "TypeError" | "ValueError" | "KeyError" | "ImportError", message: string) {
    super(`${type}(${strRepr(message)})`);
  }
}

/** The required arguments of a method, as text. Throws ControlError that names all that are missing, as Python does. */
export function requireText(method: string, args: ValueMap, names: readonly string[]): readonly string[] {
  const missing = names.filter((name) => args[name] === undefined);
  if (missing.length > 0) {
    const list = missing.map((name) => `'${name}'`);
    const spoken = list.length < 2 ? list.join("") : `${list.slice(0, -1).join(", ")} and ${list.at(-1) ?? ""}`;
    const plural = missing.length === 1 ? "argument" : "arguments";
    throw new ControlError("TypeError", `${method}() missing ${missing.length} required positional ${plural}: ${spoken}`);
  }
  return names.map((name) => {
    const value = args[name];
    if (typeof value !== "string")
      throw new ControlError("TypeError", `${method}() argument ${name} must be str, not ${pyRepr(value, 40)}`);
    return value;
  });
}

/** Whether Python would take it for true. Flower sends 1. */
export const isTrue = (value: Value | undefined): boolean => value != null && value !== false && value !== 0 && value !== "";

/** A list, or one value as a list of one. */
export function asList(value: Value | undefined): readonly Value[] {
  if (value == null) return [];
  return isList(value) ? value : [value];
}

export const asTexts = (value: Value | undefined): readonly string[] =>
  asList(value).filter((item): item is string => typeof item === "string");

/** Tasks per second of Celery's `10/s`, `10/m`, `10/h` or a number; 0 is no limit. celery/utils/time.py. Throws ControlError. */
export function parseRate(value: Value | undefined): number {
  if (value == null || value === false) return 0;
  if (typeof value === "number" && value >= 0) return value;
  const text = typeof value === "string" ? value : pyRepr(value, 40);
  const [amount = "", unit = "s"] = text.split("/", 2);
  const seconds = { s: 1, m: 60, h: 3_600 }[unit || "s"];
  if (seconds === undefined) throw new ControlError("KeyError", unit);
  const count = amount.trim() === "" ? Number.NaN : Number(amount);
  if (!Number.isFinite(count) || count < 0) throw new ControlError("ValueError", `could not convert string to float: '${amount}'`);
  return count / seconds;
}
