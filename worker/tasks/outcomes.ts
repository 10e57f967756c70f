import type { Signature } from "../protocol/canvas/signature.ts";
import type { Value, ValueMap } from "../protocol/json/value.ts";

export interface RetryOptions {
  /** Wait before the next attempt, ms; the task's own retry policy decides when absent. The wait happens in the broker. */
  readonly delayMs?: number;
  /** Overrides the task's `maxRetries`; null for no limit. */
  readonly maxRetries?: number | null;
  readonly cause?: unknown;
  /** Positional arguments of the next attempt; keyword arguments that they do not name stay. Default: the same as now. */
  readonly args?: readonly Value[];
  /** Keyword arguments of the next attempt; positional ones that they do not name stay. Default: the same as now. */
  readonly kwargs?: ValueMap;
}

/** Throw to run the task again later, as Celery's `self.retry()`. Beyond `maxRetries` the cause becomes the task's failure. */
export class Retry extends Error {
  override readonly name = "Retry";
  readonly delayMs: number | undefined;
  readonly maxRetries: number | null | undefined;
  readonly args: readonly Value[] | undefined;
  readonly kwargs: ValueMap | undefined;
  constructor(message = "", options: RetryOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.delayMs = options.delayMs;
    this.maxRetries = options.maxRetries;
    this.args = options.args;
    this.kwargs = options.kwargs;
  }
}

/** Throw to refuse the message: it goes to the dead-letter exchange if the queue has one, or back to the queue with `requeue`. */
export class Reject extends Error {
  override readonly name = "Reject";
  readonly requeue: boolean;
  constructor(reason = "", options: { readonly requeue?: boolean } = {}) {
    super(reason);
    this.requeue = options.requeue ?? false;
  }
}

/** Throw to end the task without storing a result: somebody else will. */
export class Ignore extends Error {
  override readonly name = "Ignore";
}

/** What `context.replace` throws: the task ends here, and the signature runs in its place. */
export class Replaced extends Error {
  override readonly name = "Replaced";
  readonly signature: Signature;
  constructor(signature: Signature) {
    super(`replaced by ${signature.task}`);
    this.signature = signature;
  }
}
