import { withoutLogin } from "../runtime/redact.ts";
import type { ConditionInput } from "../runtime/truth/conditions.ts";
import { REASONS } from "../runtime/truth/reasons.ts";
import type { StatusFields } from "../runtime/truth/status.ts";
import { nextDue } from "./due.ts";
import type { Entry } from "./entry.ts";

/** The condition `Ready` of a schedule. Never holds a time that changes with each run. */
export function conditionOf({ object, read, memory, trouble }: Entry): ConditionInput {
  if (trouble !== undefined) {
    const { reason, message } = trouble;
    return { status: "False", reason, message: `${withoutLogin(message)}. ${REASONS[reason].advice}` };
  }
  if (memory === undefined || read === undefined) return { status: "Unknown", reason: "Pending", message: REASONS.Pending.advice };
  if (object.spec.suspend) return { status: "True", reason: "Suspended", message: REASONS.Suspended.advice };
  const finished = nextDue(read.timing, memory.cursor) === undefined;
  const reason = finished ? "Finished" : "Scheduled";
  return { status: "True", reason, message: finished ? REASONS.Finished.advice : "" };
}

/** What the status says beside the conditions. @param now ms since the epoch */
export function statusFields({ object, read, memory, lastRun }: Entry, now: number): StatusFields {
  const label = read === undefined ? {} : { schedule: read.label };
  // What was known before the store was read stays.
  if (memory === undefined) {
    const { conditions: _, observedGeneration: __, ...known } = object.status ?? {};
    return { ...known, ...label };
  }
  const next = read === undefined || object.spec.suspend ? undefined : nextDue(read.timing, memory.cursor);
  const { lastDue, lastTaskId, lastAt, runNow, published, missed, cursor } = memory;
  const time = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : new Date(ms).toISOString());
  return {
    ...label,
    lastScheduleTime: time(lastDue),
    nextScheduleTime: time(next),
    lastTaskId,
    lastResult:
      lastTaskId === undefined
        ? undefined
        : resultOf(lastRun?.taskId === lastTaskId ? lastRun.run?.state : undefined, lastAt, object.spec.maxRunSeconds, now),
    lastRunNow: runNow,
    handledUntil: time(cursor),
    published,
    missed,
  };
}

const resultOf = (state: string | undefined, lastAt: number | undefined, maxRunSeconds: number, now: number): string =>
  state ?? (lastAt === undefined || now - lastAt > maxRunSeconds * 1_000 ? "Unknown" : "Waiting");

/**
 * How long, ms, until the last run is worth another look; undefined when it has ended or nothing was published. The older it is, the rarer: from one
 * second to one minute.
 */
export function lookAgainMs({ object, memory, lastRun }: Entry, now: number): number | undefined {
  const { lastTaskId, lastAt } = memory ?? {};
  if (lastTaskId === undefined || lastAt === undefined) return undefined;
  const age = now - lastAt;
  if (age > object.spec.maxRunSeconds * 1_000) return undefined;
  return lastRun?.taskId === lastTaskId && lastRun.run?.over === true ? undefined : Math.min(60_000, Math.max(1_000, age));
}
