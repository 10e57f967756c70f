import { LeaseLost } from "../leases/keeper.ts";
import type { Lease, Leases } from "../leases/leases.ts";
import type { Pool } from "../pools/pool.ts";
import type { Clock, Delivery } from "../ports.ts";
import { celeryError } from "../protocol/celery-errors.ts";
import type { TaskMessage } from "../protocol/task-message.ts";
import { Committed } from "../tasks/commit-in.ts";
import type { Task, TaskLog } from "../tasks/define-task.ts";
import { SoftTimeLimit, TaskRevoked, toOutcome } from "./failure.ts";
import type { Outcome } from "./outcome.ts";
import { Stopper } from "./stopper.ts";
import { TaskScope } from "./task-scope.ts";
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
export function runTask(deps: RunDeps, request: RunRequest): Promise<Outcome> {
  const { clock } = deps;
  const { control } = request;
  const { soft, hard } = deps.settings.limits(request.task, request.definition);
  return new Promise((resolve, reject) => {
    const kill = new Stopper();
    let timers: { cancel(): void }[] | undefined;
    // The first of them wins: how it ended, or that nobody waits for that.
    const end = (outcome: Outcome): void => {
      for (const timer of timers ?? []) timer.cancel();
      control.onAbort = undefined;
      resolve(outcome);
    };
    const giveUp = (outcome: Outcome): void => {
      end(outcome);
      kill.abort(new Error("nobody waits for it any more"));
    };
    const after = (seconds: number, then: () => void): void => void (timers ??= []).push(clock.setTimeout(then, seconds * 1_000));
    control.onAbort = (reason) => {
      if (reason instanceof LeaseLost) giveUp({ kind: "lost" });
      if (reason instanceof TaskRevoked) after(REVOKE_GRACE_S, () => giveUp({ kind: "revoked", reason: "terminated" }));
    };
    // It may have been told to before it began.
    if (control.aborted) control.onAbort(control.signal.reason as Error);
    if (soft !== undefined) after(soft, () => control.abort(new SoftTimeLimit(`${soft} s`)));
    if (hard !== undefined) {
      after(hard, () => {
        control.abort(new SoftTimeLimit(`${hard} s`));
        giveUp({ kind: "failure", error: celeryError("TimeLimitExceeded", hard) });
      });
    }
    work(deps, request, kill).then(end, reject);
  });
}

/** The task's own code, and what it came to. */
async function work(deps: RunDeps, request: RunRequest, kill: Stopper): Promise<Outcome> {
  const { definition, input, delivery, lease } = request;
  const scope = new TaskScope(deps, request);
  try {
    if (definition.mode !== "none" && definition.effectStarts === "at-run" && lease.how !== "in-doubt") await scope.effect();
    const known = lease.how === "in-doubt" ? await definition.reconcile?.(input, scope) : undefined;
    const value = known === undefined ? await deps.pool.run(definition, input, scope, { message: delivery, key: lease.key, kill }) : known;
    return { kind: "success", value, sent: scope.plans };
  } catch (error) {
    if (error instanceof Committed) return { kind: "success", value: error.value, sent: scope.plans };
    const outcome = toOutcome(error, request.task, definition, {
      signal: request.control.signal,
      effectBegun: scope.effectBegun,
      redelivered: delivery.redelivered,
      random: deps.random,
    });
    return outcome.kind === "replace" ? { ...outcome, sent: scope.plans } : outcome;
  }
}
