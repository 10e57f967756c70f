import { isMap } from "../json/is-value.ts";
import type { Value, ValueMap } from "../json/value.ts";

/**
 * A call that is to be made later, as a message carries it: the very object that Python wrote, unknown fields and order kept, so that
 * it is passed on byte for byte. celery/canvas.py
 */
export type Signature = ValueMap & {
  readonly task: string;
  readonly args?: readonly Value[] | null;
  readonly kwargs?: ValueMap | null;
  readonly options?: ValueMap | null;
  readonly subtask_type?: string | null;
  readonly immutable?: boolean | null;
};

/** Whether a decoded value is a signature that a worker can send. */
export function isSignature(value: Value | undefined): value is Signature {
  if (!isMap(value) || typeof value["task"] !== "string" || value["task"] === "") return false;
  const { args, kwargs, options, immutable, subtask_type } = value;
  return (
    (args == null || Array.isArray(args)) &&
    (kwargs == null || isMap(kwargs)) &&
    (options == null || isMap(options)) &&
    (immutable == null || typeof immutable === "boolean") &&
    (subtask_type == null || typeof subtask_type === "string")
  );
}

/** A list of signatures, one signature, or null, as a list. Undefined when anything in it is no signature. */
export function asSignatures(value: Value | undefined): readonly Signature[] | undefined {
  if (value == null) return [];
  const items: readonly Value[] = Array.isArray(value) ? value : [value];
  return items.every((item) => isSignature(item)) ? items : undefined;
}
