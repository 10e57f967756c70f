import type { Clock } from "../ports.ts";
import type { Intake } from "./consumer.ts";
import type { Executor } from "./executor.ts";
import { WorkerStopping } from "./failure.ts";

/** After the signal, how long tasks may take to stop by themselves, ms. */
const ABORT_GRACE_MS = 2_000;

/** A broker that does not confirm the end of the consumers within this is away; nothing more will come from it, ms. */
const CANCEL_WAIT_MS = 1_000;

/**
 * Stops for good: no new deliveries, what has not started goes back, what runs may finish for `graceMs`, then its signal aborts.
 * What arrives while the broker is being told still runs: to send it back would mark it as redelivered for nothing.
 * Resolves when no slot is busy, or when a task ignored its signal: its message is delivered again once the connection closes.
 */
export async function drain(intake: Intake, executor: Executor, graceMs: number, clock: Clock): Promise<"finished" | "aborted"> {
  const after = (ms: number): { promise: Promise<"late">; cancel(): void } => {
    const { promise, resolve } = Promise.withResolvers<"late">();
    const timer = clock.setTimeout(() => resolve("late"), ms);
    return { promise, cancel: () => timer.cancel() };
  };
  const grace = after(graceMs);
  const told = after(CANCEL_WAIT_MS);
  await Promise.race([intake.cancelAll(), told.promise]);
  told.cancel();
  executor.close();
  const first = await Promise.race([executor.idle().then(() => "finished" as const), grace.promise]);
  grace.cancel();
  if (first === "finished") return first;
  executor.abort(new WorkerStopping("the worker's grace period is over"));
  const last = after(ABORT_GRACE_MS);
  await Promise.race([executor.idle(), last.promise]);
  last.cancel();
  return "aborted";
}
