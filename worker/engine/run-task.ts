import type { Held } from "../leases/keeper.ts";
import { LeaseLost } from "../leases/keeper.ts";
import type { Lease, Leases } from "../leases/leases.ts";
import type { Pool } from "../pools/pool.ts";
import type { Clock, Delivery } from "../ports.ts";
import { celeryError } from "../protocol/celery-errors.ts";
import { encodeResult, resultKey } from "../protocol/result.ts";
import type { TaskMessage } from "../protocol/task-message.ts";
import type { Task, TaskContext, TaskLog } from "../tasks/define-task.ts";
import { SoftTimeLimit, toOutcome } from "./failure.ts";
import type { Outcome } from "./outcome.ts";
import { openSending } from "./sending.ts";

export interface RunDeps {
  readonly pool: Pool;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: TaskLog & { child(fields: object): TaskLog };
}

export interface RunRequest {
  readonly task: TaskMessage;
  readonly definition: Task;
  readonly input: unknown;
  readonly delivery: Delivery;
  readonly lease: Lease;
  readonly held: Held;
  /** Aborted by the engine: shutdown, terminate. The task sees it together with limits and the lease. */
  readonly control: AbortController;
}

/**
 * Runs one task in the pool under its limits, and says how it ended. Never throws. In a pool that cannot kill, a hard limit gives up
 * on the task: its slot is free and its result is thrown away, but code that ignores the signal goes on until it ends by itself.
 */
export async function runTask({ pool, leases, clock, random, log }: RunDeps, request: RunRequest): Promise<Outcome> {
  const { task, definition, input, delivery, lease, held, control } = request;
  const signal = AbortSignal.any([held.signal, control.signal]);
  const soft = task.timeLimit.soft ?? definition.softTimeLimit;
  const hard = task.timeLimit.hard ?? definition.timeLimit;
  let effectBegun = lease.how === "in-doubt";

  const sending = openSending(task);
  const context: TaskContext = {
    ...sending.context,
    taskId: task.id,
    retries: task.retries,
    redelivered: delivery.redelivered,
    signal,
    log: log.child({ task: task.name, taskId: task.id }),
    fence: lease.fence,
    async effect() {
      signal.throwIfAborted();
      if (!(await leases.effect(lease))) throw new LeaseLost(`the lease of ${lease.key} was taken over`);
      effectBegun = true;
    },
    progress: (details) => leases.store(resultKey(task.id), encodeResult({ id: task.id, state: "PROGRESS", result: details })),
  };

  const gaveUp = Promise.withResolvers<Outcome>();
  const lost = (): void => gaveUp.resolve({ kind: "lost" });
  held.signal.addEventListener("abort", lost, { once: true });
  const timers = [
    soft === undefined ? undefined : clock.setTimeout(() => control.abort(new SoftTimeLimit(`${soft} s`)), soft * 1_000),
    hard === undefined
      ? undefined
      : clock.setTimeout(() => {
          gaveUp.resolve({ kind: "failure", error: celeryError("TimeLimitExceeded", hard) });
          control.abort(new SoftTimeLimit(`${hard} s`));
        }, hard * 1_000),
  ];
  const work = async (): Promise<Outcome> => {
    try {
      if (definition.effectStarts === "at-run" && lease.how !== "in-doubt") await context.effect();
      const known = lease.how === "in-doubt" ? await definition.reconcile?.(input, context) : undefined;
      const value = known === undefined ? await pool.run(definition, input, context) : known;
      return { kind: "success", value, sent: sending.plans };
    } catch (error) {
      const outcome = toOutcome(error, task, definition, { signal, effectBegun, random });
      return outcome.kind === "replace" ? { ...outcome, sent: sending.plans } : outcome;
    }
  };
  try {
    return await Promise.race([work(), gaveUp.promise]);
  } finally {
    for (const timer of timers) timer?.cancel();
    held.signal.removeEventListener("abort", lost);
  }
}
