import type { Condition } from "../object.ts";
import type { Reason } from "./reasons.ts";

/** A condition as a reconcile says it; times and generation are filled in by `setConditions`. */
export interface ConditionInput {
  /** Default `Ready`. */
  readonly type?: string;
  readonly status: Condition["status"];
  readonly reason: Reason;
  readonly message: string;
}

/** Limit of the schema of every kind. */
const MAX_MESSAGE = 32_768;

/**
 * The conditions after saying these. `lastTransitionTime` moves only when `status` changes; types that are not said stay as they are;
 * the order is that of `current`, then of `said`. Never changes its arguments.
 * @param now ms since the epoch
 */
export function setConditions(
  current: readonly Condition[] | undefined,
  said: readonly ConditionInput[],
  generation: number | undefined,
  now: number,
): readonly Condition[] {
  const next = new Map((current ?? []).map((condition) => [condition.type, condition]));
  for (const { type = "Ready", status, reason, message } of said) {
    const before = next.get(type);
    const lastTransitionTime = before?.status === status ? before.lastTransitionTime : rfc3339(now);
    const generations = generation === undefined ? {} : { observedGeneration: generation };
    next.set(type, { type, status, reason, message: message.slice(0, MAX_MESSAGE), ...generations, lastTransitionTime });
  }
  return [...next.values()];
}

export const findCondition = (conditions: readonly Condition[] | undefined, type: string): Condition | undefined =>
  conditions?.find((condition) => condition.type === type);

/** Seconds precision, as `metav1.Time` has it: a finer time would differ from what the API server gives back. */
export const rfc3339 = (ms: number): string => new Date(ms).toISOString().replace(/\.\d{3}Z$/, "Z");
