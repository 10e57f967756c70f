import { LeaseLost } from "../leases/keeper.ts";
import type { Lease, Leases } from "../leases/leases.ts";
import type { Pool } from "../pools/pool.ts";
import type { Clock, Delivery } from "../ports.ts";
import { celeryError } from "../protocol/celery-errors.ts";
import { encodeResult, resultKey } from "../protocol/result.ts";
import type { TaskMessage } from "../protocol/task-message.ts";
import { Committed, commitIn } from "../tasks/commit-in.ts";
import type { Task, TaskContext, TaskLog } from "../tasks/define-task.ts";
import { requestOf } from "../tasks/task-request.ts";
import { SoftTimeLimit, TaskRevoked, toOutcome } from "./failure.ts";
import type { Outcome } from "./outcome.ts";
import { openSending } from "./sending.ts";
import { newStopper, type Stopper } from "./stopper.ts";
import type { TaskSettings } from "./task-settings.ts";

export interface RunDeps {
  readonly pool: Pool;
  readonly leases: Pick<Leases, "effect" | "store">;
  readonly settings: TaskSettings;
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
  /** Aborted by the engine: shutdown, terminate, limits, a lost lease. */
  readonly control: Stopper;
}

/** How long a task that remote control terminates may take to stop by itself, s. */
const REVOKE_GRACE_S = 1;

/**
 * Runs one task in the pool under its limits, and says how it ended. Never throws. In a pool that cannot kill, a hard limit gives up
 * on the task: its slot is free and its result is thrown away, but code that ignores the signal goes on until it ends by itself.
 */
export async function runTask({ pool, leases, settings, clock, random, log }: RunDeps, request: RunRequest): Promise<Outcome> {
  const { task, definition, input, delivery, lease, control } = request;
  const { soft, hard } = settings.limits(task, definition);
  let effectBegun = lease.how === "in-doubt";

  const sending = openSending(task);
  let own: TaskLog | undefined;
  const context: TaskContext = {
    ...sending.context,
    taskId: task.id,
    request: requestOf(task, delivery, settings.limits(task, definition)),
    retries: task.retries,
    redelivered: delivery.redelivered,
    get signal() {
      return control.signal;
    },
    // Most tasks write nothing.
    get log() {
      return (own ??= log.child({ task: task.name, taskId: task.id }));
    },
    fence: lease.fence,
    async effect() {
      if (control.aborted) control.signal.throwIfAborted();
      if (definition.mode !== "none" && !(await leases.effect(lease))) throw new LeaseLost(`the lease of ${lease.key} was taken over`);
      effectBegun = true;
    },
    commitIn: (transaction, value = null) => commitIn(lease.key, lease.fence, transaction, value),
    progress: (details) => leases.store(resultKey(task.id), encodeResult({ id: task.id, state: "PROGRESS", result: details })),
  };

  const gaveUp = Promise.withResolvers<Outcome>();
  const kill = newStopper();
  const giveUp = (outcome: Outcome): void => {
    gaveUp.resolve(outcome);
    kill.abort(new Error("nobody waits for it any more"));
  };
  const timers: { cancel(): void }[] = [];
  const after = (seconds: number | undefined, then: () => void): void => {
    if (seconds !== undefined) timers.push(clock.setTimeout(then, seconds * 1_000));
  };
  control.onAbort = (reason) => {
    if (reason instanceof LeaseLost) giveUp({ kind: "lost" });
    if (reason instanceof TaskRevoked) after(REVOKE_GRACE_S, () => giveUp({ kind: "revoked", reason: "terminated" }));
  };
  // It may have been told to before it began.
  if (control.aborted) control.onAbort(control.signal.reason as Error);
  after(soft, () => control.abort(new SoftTimeLimit(`${soft} s`)));
  after(hard, () => {
    control.abort(new SoftTimeLimit(`${hard} s`));
    giveUp({ kind: "failure", error: celeryError("TimeLimitExceeded", hard ?? 0) });
  });
  const work = async (): Promise<Outcome> => {
    try {
      if (definition.mode !== "none" && definition.effectStarts === "at-run" && lease.how !== "in-doubt") await context.effect();
      const known = lease.how === "in-doubt" ? await definition.reconcile?.(input, context) : undefined;
      const value =
        known === undefined
          ? await pool.run(definition, input, context, {
              message: delivery,
              key: lease.key,
              get kill() {
                return kill.signal;
              },
            })
          : known;
      return { kind: "success", value, sent: sending.plans };
    } catch (error) {
      if (error instanceof Committed) return { kind: "success", value: error.value, sent: sending.plans };
      const outcome = toOutcome(error, task, definition, {
        signal: control.signal,
        effectBegun,
        redelivered: delivery.redelivered,
        random,
      });
      return outcome.kind === "replace" ? { ...outcome, sent: sending.plans } : outcome;
    }
  };
  try {
    return await Promise.race([work(), gaveUp.promise]);
  } finally {
    for (const timer of timers) timer.cancel();
    control.onAbort = undefined;
  }
}
