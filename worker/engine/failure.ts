import { LeaseLost } from "../leases/keeper.ts";
import { ChildLost } from "../pools/pool.ts";
import { celeryError } from "../protocol/celery-errors.ts";
import { encodeException } from "../protocol/exception.ts";
import type { TaskMessage } from "../protocol/task-message.ts";
import type { RetryPolicy } from "../tasks/define-task.ts";
import { nextCall } from "../tasks/next-call.ts";
import { Ignore, Reject, Replaced, Retry } from "../tasks/outcomes.ts";
import type { Outcome } from "./outcome.ts";

/** Celery's defaults: `default_retry_delay` 3 min, `retry_backoff_max` 10 min, `max_retries` 3. celery/app/task.py */
const DEFAULT_DELAY_S = 180;
const BACKOFF_MAX_S = 600;
const MAX_RETRIES = 3;

/** The worker's grace period is over while the task runs. */
export class WorkerStopping extends Error {
  override readonly name = "WorkerStopping";
}

/** Remote control revoked the task while it ran. */
export class TaskRevoked extends Error {
  override readonly name = "TaskRevokedError";
}

/** The task ran past its soft limit. */
export class SoftTimeLimit extends Error {
  override readonly name = "SoftTimeLimitExceeded";
  readonly pyClass = "billiard.exceptions.SoftTimeLimitExceeded";
}

/** Wait before a retry, ms. Source: `get_exponential_backoff_interval`, celery/utils/time.py. */
export function retryDelayMs(policy: RetryPolicy, retries: number, random: () => number): number {
  const { retryBackoff = false } = policy;
  if (retryBackoff === false) return (policy.defaultRetryDelay ?? DEFAULT_DELAY_S) * 1_000;
  const first = retryBackoff === true ? 1 : retryBackoff;
  const seconds = Math.min(policy.retryBackoffMax ?? BACKOFF_MAX_S, first * 2 ** retries);
  return seconds * 1_000 * (policy.retryJitter === false ? 1 : random());
}

interface Facts {
  readonly effectBegun: boolean;
  readonly redelivered: boolean;
}

/** What ran the task died. Once more when no effect had begun; a task that kills every worker it meets fails. */
function afterChildLost(lost: ChildLost, task: TaskMessage, mode: string, { effectBegun, redelivered }: Facts): Outcome {
  if (effectBegun && mode === "at-most-once") return { kind: "failure", error: effectUnknown(task.id) };
  return redelivered ? { kind: "failure", error: encodeException(lost) } : { kind: "reject", requeue: true, reason: lost.message };
}

/** What a task threw, as an outcome. Never throws. */
export function toOutcome(
  thrown: unknown,
  task: TaskMessage,
  policy: RetryPolicy & { readonly mode: string; readonly parameters?: readonly string[] },
  facts: Facts & { readonly signal: AbortSignal; readonly random: () => number },
): Outcome {
  const reason: unknown = facts.signal.aborted ? facts.signal.reason : undefined;
  if (reason instanceof LeaseLost || thrown instanceof LeaseLost) return { kind: "lost" };
  const obeyed = thrown === reason || (thrown instanceof Error && thrown.name === "AbortError");
  if (reason instanceof WorkerStopping && obeyed) {
    const repeatable = !facts.effectBegun || policy.mode !== "at-most-once";
    return repeatable ? { kind: "reject", requeue: true, reason: reason.message } : { kind: "failure", error: effectUnknown(task.id) };
  }
  if (thrown instanceof ChildLost) return afterChildLost(thrown, task, policy.mode, facts);
  if (reason instanceof TaskRevoked) return { kind: "revoked", reason: "terminated" };
  const error = obeyed && reason !== undefined ? reason : thrown;
  if (error instanceof Ignore) return { kind: "ignore" };
  if (error instanceof Replaced) return { kind: "replace", signature: error.signature };
  if (error instanceof Reject) return { kind: "reject", requeue: error.requeue, reason: error.message };
  const traceback = error instanceof Error && error.stack !== undefined ? { traceback: error.stack } : {};
  const asked = error instanceof Retry ? error : undefined;
  if (asked === undefined && policy.autoretryFor?.some((type) => error instanceof type) !== true) {
    return { kind: "failure", error: encodeException(error), ...traceback };
  }
  const limit = asked?.maxRetries === undefined ? (policy.maxRetries === undefined ? MAX_RETRIES : policy.maxRetries) : asked.maxRetries;
  const cause = asked === undefined ? error : asked.cause;
  if (limit !== null && task.retries >= limit) {
    const tired = celeryError(
      "MaxRetriesExceededError",
      `Can't retry ${task.name}[${task.id}] args:${task.argsRepr ?? "()"} kwargs:${task.kwargsRepr ?? "{}"}`,
    );
    return { kind: "failure", error: cause === undefined ? tired : encodeException(cause), ...traceback };
  }
  const call = asked === undefined ? undefined : nextCall(policy.parameters ?? [], task, asked);
  const delayMs = asked?.delayMs ?? retryDelayMs(policy, task.retries, facts.random);
  return {
    kind: "retry",
    delayMs,
    error: cause === undefined ? celeryError("Retry", asked?.message ?? "") : encodeException(cause),
    ...traceback,
    ...(call === undefined ? {} : { call }),
  };
}

/** The honest answer after a crash past the start of an effect that must not be repeated. */
export const effectUnknown = (id: string): { exc_type: string; exc_message: string[]; exc_module: string } => ({
  exc_type: "EffectUnknown",
  exc_message: [`a worker stopped while the effect of task ${id} was under way: it happened once or not at all, and is not repeated`],
  exc_module: "longshore",
});
