import type { PyException } from "../protocol/exception.ts";
import { exceptionRepr } from "../protocol/exception.ts";
import type { Value } from "../protocol/json/value.ts";
import type { StoredResult } from "../protocol/result.ts";

/**
 * A task failed. `name` is the class it raised; thrown again inside a task, it becomes that same class in Python (`pyClass`, `pyArgs`).
 */
export class TaskError extends Error {
  readonly taskId: string;
  readonly state: string;
  /** `builtins.ValueError` */
  readonly pyClass: string;
  readonly pyArgs: readonly Value[];
  /** Where it failed, in the worker's words. */
  readonly remoteTraceback: string | undefined;

  constructor(result: StoredResult, exception: PyException) {
    const [first] = exception.exc_message;
    super(typeof first === "string" && exception.exc_message.length === 1 ? first : exceptionRepr(exception));
    this.name = exception.exc_type;
    this.taskId = result.id;
    this.state = result.state;
    this.pyClass = `${exception.exc_module}.${exception.exc_type}`;
    this.pyArgs = exception.exc_message;
    this.remoteTraceback = result.traceback;
  }
}

/** The task was revoked, or expired before it ran. It had no effect, unless it was terminated. */
export class TaskRevokedError extends TaskError {}

/** No worker knows a task of that name. */
export class NotRegisteredError extends TaskError {}

/** The task ran longer than its time limit. */
export class TimeLimitError extends TaskError {}

/** The result did not come in time. The task may still run. */
export class ResultTimeoutError extends Error {
  override readonly name = "ResultTimeoutError";
  constructor(id: string, timeoutMs: number) {
    super(`no result of task ${id} after ${timeoutMs} ms; it may still be waiting or running`);
  }
}

/** Makes an error of the user's own class out of the arguments of its Python twin. */
export type ErrorMakers = Readonly<Record<string, (...args: readonly Value[]) => Error>>;

const KNOWN: Readonly<Record<string, typeof TaskError>> = {
  "celery.exceptions.TaskRevokedError": TaskRevokedError,
  "celery.exceptions.NotRegistered": NotRegisteredError,
  "billiard.exceptions.TimeLimitExceeded": TimeLimitError,
  "billiard.exceptions.SoftTimeLimitExceeded": TimeLimitError,
};

/** The error to throw for a result that is one. `makers` are by Python class, such as `shop.errors.PaymentDeclined`. */
export function taskError(result: StoredResult, makers: ErrorMakers): Error {
  const exception = result.error ?? { exc_type: "Exception", exc_message: [], exc_module: "builtins" };
  const pyClass = `${exception.exc_module}.${exception.exc_type}`;
  if (Object.hasOwn(makers, pyClass)) {
    const made = makers[pyClass]?.(...exception.exc_message);
    if (made !== undefined) return made;
  }
  const Known = Object.hasOwn(KNOWN, pyClass) ? (KNOWN[pyClass] ?? TaskError) : TaskError;
  return new Known(result, exception);
}
