import type { Schedule } from "../kinds/schedule/schema.ts";
import type { Cache } from "../runtime/cache/cache.ts";
import { fenced } from "../runtime/leader/fence.ts";
import { type ElectionOptions, runElection } from "../runtime/leader/leader.ts";
import { errorFields } from "../runtime/log.ts";
import { inLanes } from "../runtime/queue/lanes.ts";
import { createStatusWriter } from "../runtime/truth/status.ts";
import { startSchedules } from "../schedules/start.ts";
import type { Context } from "./context.ts";

/**
 * Schedules have an election of their own, from the first Schedule on: another operator publishes within five seconds of a crash, where the rest of the
 * operator, which is not so easily repeated, waits for fifteen. Losing it by mistake harms nobody: claims in the store keep two leaders apart.
 */
const TIMES = { leaseMs: 3_000, renewMs: 2_200, retryMs: 500, stopMs: 700 } as const;

/** Takes part in the election for schedules until the signal aborts. Throws as `runElection` does: the process must end then. */
export async function runSchedules(
  context: Context,
  election: Pick<ElectionOptions, "kube" | "clock" | "random" | "log" | "namespace" | "name" | "identity">,
  signal: AbortSignal,
): Promise<void> {
  const { caches, clock, connect, scheduleMetrics: metrics } = context;
  if (!(await firstSchedule(caches.schedules, signal))) return;
  const log = context.log.child({ election: "schedules" });
  const closing = new Set<Promise<void>>();
  const lead = async (term: AbortSignal): Promise<void> => {
    try {
      await Promise.all([caches.schedules, caches.brokers, caches.stores].map((cache) => cache.synced(term)));
    } catch {
      return; // The term ended first.
    }
    const kube = inLanes(fenced(context.kube, term));
    const own = { ...context, kube, log, metrics, status: createStatusWriter({ kube, clock }) };
    const schedules = startSchedules({ ...own, connectPublishing: connect.publishing, connectRecords: connect.records }, term);
    schedules.start();
    log.info({}, "publishing what is due");
    await aborted(term);
    // The next leader need not wait for what is under way here: claims keep them apart.
    const closed: Promise<void> = Promise.resolve(schedules[Symbol.asyncDispose]())
      .catch((error: unknown) => log.warn(errorFields(error), "could not end schedules cleanly"))
      .finally(() => closing.delete(closed));
    closing.add(closed);
  };
  await runElection({ ...election, ...TIMES, name: `${election.name}-schedules`, log, lead, onChange: metrics.leading }, signal);
  await Promise.all(closing);
}

/** Resolves with true when there is a Schedule, with false when the signal aborts first. */
async function firstSchedule(cache: Cache<Schedule>, signal: AbortSignal): Promise<boolean> {
  const found = Promise.withResolvers<void>();
  using _ = cache.subscribe(() => found.resolve());
  await Promise.race([found.promise, aborted(signal)]);
  return !signal.aborted;
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
