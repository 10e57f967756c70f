import { type Clock, sleep } from "../runtime/clock.ts";
import { errorFields, type Log } from "../runtime/log.ts";
import type { EventRecorder } from "../runtime/truth/events.ts";
import type { Entry, Trouble } from "./entry.ts";
import { messageOf } from "./message.ts";
import type { Plan, PlannedRun, RunOutcome } from "./plan.ts";
import type { PublishPort } from "./ports.ts";
import { taskIdOf } from "./task-id.ts";
import { publishTrouble } from "./trouble.ts";

export interface PublishDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly events: Pick<EventRecorder, "record">;
  /** Aborts when the term ends: nothing is published any more. */
  readonly signal: AbortSignal;
  /** Who sends, as `gen<pid>@<host>`. */
  readonly origin: string;
  /** Told each due time that the broker has confirmed, and how late that was, s. */
  readonly onPublished: (latenessSeconds: number) => void;
}

interface ToPublish {
  readonly entry: Entry;
  readonly plan: Plan;
  readonly overlap: "publish" | "leave-out" | "replace";
}

/**
 * Publishes all runs of all schedules side by side, each at its time; each has its outcome. What is not due any more when its time has come, for its
 * schedule was changed or deleted, or the term has ended, is not published. Never throws: what fails is in the outcomes, and why in `trouble`.
 */
export async function publishRuns<T extends ToPublish>(
  ready: readonly T[],
  broker: PublishPort,
  deps: PublishDeps,
): Promise<readonly (T & { readonly outcomes: readonly RunOutcome[]; readonly trouble?: Trouble })[]> {
  return await Promise.all(
    ready.map(async (one) => {
      const { entry, plan, overlap } = one;
      let trouble: Trouble | undefined;
      const failed = (error: unknown): RunOutcome => {
        trouble ??= publishTrouble(error, entry.object);
        return "failed";
      };
      if (overlap === "replace") await replace(entry, broker, deps);
      const outcomes = await Promise.all(
        plan.runs.map(async (run): Promise<RunOutcome> => {
          if (overlap === "leave-out" && run.runNow === undefined) return "left-out";
          await untilTime(run.at, deps);
          if (deps.signal.aborted || entry.again || entry.gone) return "failed";
          return await publishOne(entry, run, broker, deps).catch(failed);
        }),
      );
      return trouble === undefined ? { ...one, outcomes } : { ...one, outcomes, trouble };
    }),
  );
}

/** Resolves at the time, ms since the epoch, never before; or at once when the term ends. However the wall clock is set meanwhile, no later than it seemed. */
export async function untilTime(at: number, { clock, signal }: Pick<PublishDeps, "clock" | "signal">): Promise<void> {
  const left = () => at - clock.now();
  if (left() > 0) await sleep(clock, left(), signal);
  // Timers go by another clock, and may end a moment early by this one.
  if (left() > 0 && left() <= 1) await sleep(clock, 1, signal);
}

async function publishOne(
  entry: Entry,
  { due, at: planned, runNow }: PlannedRun,
  broker: PublishPort,
  deps: PublishDeps,
): Promise<RunOutcome> {
  const { clock, events, origin } = deps;
  const { object } = entry;
  const taskId = taskIdOf(object.metadata.uid ?? "", runNow === undefined ? due : { runNow });
  const at = clock.now();
  await broker.publish(messageOf(object, { taskId, due, now: at, origin }));
  if (runNow === undefined) deps.onPublished((clock.now() - planned) / 1_000);
  else
    events.record({
      regarding: object,
      reason: "RunNow",
      action: "Publish",
      note: `task ${taskId} was published because of the annotation`,
    });
  return { taskId, at };
}

/** A worker that cannot be told does not keep the next run from being published. */
async function replace({ object, memory }: Entry, broker: PublishPort, { events, log }: PublishDeps): Promise<void> {
  const taskId = memory?.lastTaskId;
  if (taskId === undefined) return;
  try {
    await broker.revoke(taskId);
    events.record({ regarding: object, reason: "RunReplaced", action: "Revoke", note: `task ${taskId} had not finished and was revoked` });
  } catch (error) {
    log.warn({ task: taskId, ...errorFields(error) }, "cannot revoke the run before");
  }
}
