import type { Signature } from "../protocol/canvas/signature.ts";
import { encodeException, type PyException } from "../protocol/exception.ts";
import { decodeJson, encodeJson } from "../protocol/json/json.ts";
import type { Value, ValueMap } from "../protocol/json/value.ts";
import { Committed } from "../tasks/commit-in.ts";
import { Ignore, Reject, Replaced, Retry } from "../tasks/outcomes.ts";

/** Something thrown, as it crosses from one thread to another. */
export type Thrown =
  /** The task gave way to the reason of its signal. */
  | { readonly kind: "obeyed" }
  | { readonly kind: "ignore" }
  | { readonly kind: "reject"; readonly reason: string; readonly requeue: boolean }
  | { readonly kind: "replaced"; readonly signature: string }
  | { readonly kind: "committed"; readonly value: string }
  | {
      readonly kind: "retry";
      readonly message: string;
      readonly delayMs?: number;
      readonly maxRetries?: number | null;
      readonly cause?: Thrown;
      /** JSON. */
      readonly args?: string;
      readonly kwargs?: string;
    }
  | { readonly kind: "error"; readonly name: string; readonly message: string; readonly exception: string; readonly stack?: string };

/** An error of a task in another thread or process: Python sees the class that it was there. */
class ChildError extends Error {
  readonly pyClass: string;
  readonly pyArgs: PyException["exc_message"];
  constructor({ name, message, exception, stack }: Extract<Thrown, { kind: "error" }>) {
    super(message);
    const { exc_type, exc_module, exc_message } = decodeJson(exception) as unknown as PyException;
    this.name = name;
    this.pyClass = `${exc_module}.${exc_type}`;
    this.pyArgs = exc_message;
    if (stack !== undefined) this.stack = stack;
  }
}

/** Never throws. `reason` is the signal's, if it has aborted; `retries` says whether the task's policy retries this error by itself. */
export function packThrown(thrown: unknown, reason?: unknown, retries: (error: unknown) => boolean = () => false): Thrown {
  if (reason !== undefined && thrown === reason) return { kind: "obeyed" };
  if (thrown instanceof Error && thrown.name === "AbortError" && reason !== undefined) return { kind: "obeyed" };
  if (thrown instanceof Ignore) return { kind: "ignore" };
  if (thrown instanceof Reject) return { kind: "reject", reason: thrown.message, requeue: thrown.requeue };
  if (thrown instanceof Committed) return { kind: "committed", value: encodeJson(thrown.value) };
  if (thrown instanceof Replaced) return { kind: "replaced", signature: encodeJson(thrown.signature) };
  if (thrown instanceof Retry) {
    const { message, delayMs, maxRetries, cause, args, kwargs } = thrown;
    return {
      kind: "retry",
      message,
      ...(delayMs === undefined ? {} : { delayMs }),
      ...(maxRetries === undefined ? {} : { maxRetries }),
      ...(cause === undefined ? {} : { cause: packThrown(cause) }),
      ...(args === undefined ? {} : { args: encodeJson(args) }),
      ...(kwargs === undefined ? {} : { kwargs: encodeJson(kwargs) }),
    };
  }
  const error: Thrown = {
    kind: "error",
    name: thrown instanceof Error ? thrown.name : "Error",
    message: thrown instanceof Error ? thrown.message : String(thrown),
    exception: encodeJson({ ...encodeException(thrown) }),
    ...(thrown instanceof Error && thrown.stack !== undefined ? { stack: thrown.stack } : {}),
  };
  return retries(thrown) ? { kind: "retry", message: "", cause: error } : error;
}

/** The reverse. `reason` is what the supervisor's own signal aborted with. */
export function unpackThrown(thrown: Thrown, reason?: unknown): unknown {
  switch (thrown.kind) {
    case "obeyed":
      return reason;
    case "ignore":
      return new Ignore();
    case "reject":
      return new Reject(thrown.reason, { requeue: thrown.requeue });
    case "committed":
      return new Committed(decodeJson(thrown.value));
    case "replaced":
      return new Replaced(decodeJson(thrown.signature, { exactFloats: true }) as unknown as Signature);
    case "retry": {
      const { message, delayMs, maxRetries, cause, args, kwargs } = thrown;
      return new Retry(message, {
        ...(delayMs === undefined ? {} : { delayMs }),
        ...(maxRetries === undefined ? {} : { maxRetries }),
        ...(cause === undefined ? {} : { cause: unpackThrown(cause) }),
        ...(args === undefined ? {} : { args: decodeJson(args, { exactFloats: true }) as readonly Value[] }),
        ...(kwargs === undefined ? {} : { kwargs: decodeJson(kwargs, { exactFloats: true }) as ValueMap }),
      });
    }
    case "error":
      return new ChildError(thrown);
  }
}
