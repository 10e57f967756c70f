import type { Clock } from "../ports.ts";
import type { Intake } from "./consumer.ts";
import type { Executor } from "./executor.ts";
import { WorkerStopping } from "./failure.ts";

/** After the signal, how long tasks may take to stop by themselves, ms. */
const ABORT_GRACE_MS = 2_000;

/**
 * Stops for good: no new deliveries, what has not started goes back, what runs may finish for `graceMs`, then its signal aborts.
 * Resolves when no slot is busy, or when a task ignored its signal: its message is delivered again once the connection closes.
 */
export async function drain(intake: Intake, executor: Executor, graceMs: number, clock: Clock): Promise<"finished" | "aborted"> {
  executor.close();
  const cancelled = intake.cancelAll();
  const after = (ms: number): { promise: Promise<"late">; cancel(): void } => {
    const { promise, resolve } = Promise.withResolvers<"late">();
    const timer = clock.setTimeout(() => resolve("late"), ms);
    return { promise, cancel: () => timer.cancel() };
  };
  const grace = after(graceMs);
  // A broker that is away confirms nothing: tasks must not wait for it.
  const done = Promise.all([executor.idle(), Promise.race([cancelled, grace.promise])]).then(() => "finished" as const);
  const first = await Promise.race([done, grace.promise]);
  grace.cancel();
  if (first === "finished") return first;
  executor.abort(new WorkerStopping("the worker's grace period is over"));
  const last = after(ABORT_GRACE_MS);
  await Promise.race([executor.idle(), last.promise]);
  last.cancel();
  return "aborted";
}
