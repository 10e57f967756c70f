import type { Schedule } from "../kinds/schedule/schema.ts";
import { duesNow } from "./catch-up.ts";
import { publishAt } from "./due.ts";
import { type Memory, RUN_NOW_ANNOTATION, resumeFrom } from "./record.ts";
import type { ReadTiming } from "./timing.ts";

/** One message to publish: for a due time, or because somebody asked for it now. */
export interface PlannedRun {
  readonly due: number;
  /** When it is published, ms since the epoch: never before. */
  readonly at: number;
  readonly runNow?: string;
}

export interface Plan {
  /** In this order. */
  readonly runs: readonly PlannedRun[];
  /** The memory before any of them: with the times as they are now. */
  readonly base: Memory;
  /** Due times that are left out, for they are too late. */
  readonly missed: number;
  /** Where the cursor stands when all is done. */
  readonly cursor: number;
  /** Whether the store must be told, runs or not. */
  readonly write: boolean;
  /** When to look again; absent: when the schedule changes. */
  readonly nextAt?: number;
}

export interface PlanOptions {
  readonly onTimeMs: number;
  /** How long before its time a run is planned, ms. */
  readonly aheadMs: number;
  /** Most due times at once. */
  readonly limit: number;
}

/** What to do for a schedule now. Pure. */
export function planNow({ metadata, spec }: Schedule, read: ReadTiming, memory: Memory, now: number, options: PlanOptions): Plan {
  const { timing, digest } = read;
  const from = resumeFrom(memory, digest, spec.suspend, now);
  const { startingDeadlineSeconds: deadline, catchUp } = spec;
  // With a policy each due time must see the run before it, as that stands at its time.
  const alone = spec.concurrencyPolicy !== "Allow";
  const aheadMs = alone ? 0 : options.aheadMs;
  const dues = spec.suspend
    ? { fire: [], missed: 0, cursor: from }
    : duesNow({
        timing,
        cursor: from,
        now,
        until: now + aheadMs,
        catchUp,
        onTimeMs: options.onTimeMs,
        limit: alone ? 1 : options.limit,
        ...(deadline === undefined ? {} : { deadlineMs: deadline * 1_000 }),
      });
  const asked = metadata.annotations?.[RUN_NOW_ANNOTATION];
  const isNew = asked !== undefined && asked !== "" && asked !== memory.runNow;
  const runs = [...(isNew ? [{ due: now, at: now, runNow: asked }] : []), ...dues.fire.map((due) => ({ due, at: publishAt(timing, due) }))];
  const changed = memory.stored === "" || memory.digest !== digest || memory.suspended !== spec.suspend;
  return {
    runs,
    base: { ...memory, cursor: from, digest, suspended: spec.suspend },
    missed: dues.missed,
    cursor: dues.cursor,
    write: changed || runs.length > 0 || dues.missed > 0,
    ...("nextAt" in dues && dues.nextAt !== undefined ? { nextAt: dues.nextAt - aheadMs } : {}),
  };
}

/** How a planned run ended. `failed`: it was not published, or nobody knows, and stays due. */
export type RunOutcome = { readonly taskId: string; readonly at: number } | "left-out" | "failed";

/** The memory when the runs have ended so. What failed, and what comes after it, stays due. Pure. */
export function afterRuns({ base, runs, missed, cursor }: Plan, outcomes: readonly RunOutcome[]): Memory {
  const failed = outcomes.indexOf("failed");
  const ended = failed < 0 ? runs : runs.slice(0, failed);
  const dues = ended.filter(({ runNow }) => runNow === undefined);
  const before: Memory = failed >= 0 && dues.length === 0 ? base : { ...base, missed: base.missed + missed };
  const told = ended.reduce<Memory>((memory, { due, runNow }, at) => {
    const outcome = outcomes[at];
    if (outcome === undefined || outcome === "failed") return memory;
    const moved = runNow === undefined ? { ...memory, cursor: due } : { ...memory, runNow };
    if (outcome === "left-out") return { ...moved, missed: moved.missed + 1 };
    const last = runNow === undefined ? { lastDue: due } : {};
    return {
      ...moved,
      ...last,
      lastTaskId: outcome.taskId,
      lastAt: outcome.at,
      published: moved.published + (runNow === undefined ? 1 : 0),
    };
  }, before);
  return failed < 0 ? { ...told, cursor } : told;
}
