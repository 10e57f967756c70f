import { WorkerStopping } from "../engine/failure.ts";
import type { Outcome } from "../engine/outcome.ts";
import { runTask } from "../engine/run-task.ts";
import { Stopper } from "../engine/stopper.ts";
import { openTaskSettings } from "../engine/task-settings.ts";
import { LeaseLost } from "../leases/keeper.ts";
import { asyncPool } from "../pools/async.ts";
import type { Clock, Delivery } from "../ports.ts";
import { encodeTask } from "../protocol/encode-task.ts";
import { encodeException } from "../protocol/exception.ts";
import { decodeJson, encodeJson } from "../protocol/json/json.ts";
import type { Value, ValueMap } from "../protocol/json/value.ts";
import { decodeTask } from "../protocol/message.ts";
import { decodeResult } from "../protocol/result.ts";
import type { TaskMessage } from "../protocol/task-message.ts";
import { systemClock } from "../system-clock.ts";
import type { Task, TaskLog } from "../tasks/define-task.ts";
import { type Middleware, withMiddleware } from "../tasks/middleware.ts";

/** One call of a task, as a producer and a worker would make it. */
export interface TaskCall {
  readonly args?: readonly Value[];
  readonly kwargs?: ValueMap;
  /** Default `test-task`. */
  readonly taskId?: string;
  /** How often it was retried before; default 0. */
  readonly retries?: number;
  readonly redelivered?: boolean;
  /** Custom headers of the message. */
  readonly headers?: Readonly<Record<string, unknown>>;
  /** Time for limits; default the machine's. With `fakeClock()` a limit of an hour passes at once. */
  readonly clock?: Clock;
  /** Jitter of retries; default 0.5. */
  readonly random?: () => number;
  /** Aborts as a worker whose grace period is over. */
  readonly stopping?: AbortSignal;
  /** Aborts as a lease that another worker has taken over. */
  readonly leaseLost?: AbortSignal;
  /** An earlier worker died after the effect had begun: asks `reconcile` first. */
  readonly inDoubt?: boolean;
  /** Around the task, as the worker puts those of its folder. */
  readonly middlewares?: readonly Middleware[];
}

export interface TaskRun {
  /** How the worker would settle it: success, failure, retry, reject, ignore, replace, revoked or lost. */
  readonly outcome: Outcome;
  /** What a Python caller gets; undefined unless it succeeded. */
  readonly value: Value | undefined;
  /** How often `context.effect()` was called. */
  readonly effects: number;
  readonly progress: readonly ValueMap[];
  readonly sent: readonly { readonly id: string; readonly task: string; readonly args: readonly unknown[]; readonly kwargs: object }[];
  readonly log: readonly { readonly level: keyof TaskLog; readonly fields: object; readonly sentence: string }[];
}

function messageOf(task: Task, call: TaskCall): { readonly message: TaskMessage; readonly delivery: Delivery } {
  const { args = [], kwargs = {}, taskId = "test-task", retries = 0, redelivered = false, headers = {} } = call;
  const encoded = encodeTask({ id: taskId, name: task.name, args, kwargs, retries, headers, origin: "test" });
  const decoded = decodeTask(encoded);
  if (decoded.kind !== "task") throw new TypeError(decoded.reason);
  const settled = (): boolean => true;
  const delivery = { ...encoded, queue: "test", exchange: "", routingKey: "test", redelivered, ack: settled, reject: settled };
  return { message: decoded.task, delivery };
}

/** The value on its way through Celery's JSON; one that no message can carry is the failure that the worker makes of it. */
function carried(outcome: Outcome): { readonly outcome: Outcome; readonly value: Value | undefined } {
  if (outcome.kind !== "success") return { outcome, value: undefined };
  try {
    return { outcome, value: decodeJson(encodeJson(outcome.value ?? null)) };
  } catch (error) {
    return { outcome: { kind: "failure", error: encodeException(error) }, value: undefined };
  }
}

/**
 * Runs a task once, in memory: no broker, no Redis, the worker's own code for arguments, limits, errors and retries. What it sends
 * is recorded, never run. Throws only when the arguments cannot be put into a message.
 */
export async function runOnce(definition: Task, call: TaskCall = {}): Promise<TaskRun> {
  const task = withMiddleware(definition, call.middlewares ?? []);
  const { clock = systemClock, random = () => 0.5, inDoubt = false } = call;
  const { message, delivery } = messageOf(task, call);
  const log: TaskRun["log"][number][] = [];
  const progress: ValueMap[] = [];
  let effects = 0;
  const write = (level: keyof TaskLog) => (fields: object, sentence: string) => void log.push({ level, fields, sentence });
  const taskLog: TaskLog = { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
  const control = new Stopper();
  const stop = (): void => control.abort(new WorkerStopping("the worker's grace period is over"));
  let isLost = false;
  const lose = (): void => {
    isLost = true;
    control.abort(new LeaseLost("the lease was taken over"));
  };
  call.stopping?.addEventListener("abort", stop, { once: true });
  call.leaseLost?.addEventListener("abort", lose, { once: true });
  if (call.stopping?.aborted === true) stop();
  if (call.leaseLost?.aborted === true) lose();

  const bound = task.bind(message.args, message.kwargs);
  const deps = {
    pool: asyncPool(),
    leases: {
      effect: async () => {
        effects += 1;
        return !isLost;
      },
      store: async (_key: string, result: string) => void progress.push(decodeResult(result).result as ValueMap),
    },
    settings: openTaskSettings(new Map([[task.name, task]])),
    clock,
    random,
    log: { ...taskLog, child: () => taskLog },
  };
  const raw: Outcome =
    "problem" in bound
      ? { kind: "failure", error: { exc_type: "TypeError", exc_message: [bound.problem], exc_module: "builtins" } }
      : await runTask(deps, {
          task: message,
          definition: task,
          input: bound.input,
          delivery,
          lease: { key: message.id, fence: "1", how: inDoubt ? "in-doubt" : "run" },
          control,
        });
  const { outcome, value } = carried(raw);
  const plans = outcome.kind === "success" || outcome.kind === "replace" ? (outcome.sent ?? []) : [];
  const sent = plans.flatMap(({ steps }) =>
    steps.flatMap((step) =>
      step.step === "publish"
        ? [{ id: step.task.id, task: step.task.name, args: step.task.args ?? [], kwargs: step.task.kwargs ?? {} }]
        : [],
    ),
  );
  return { outcome, value, effects, progress, sent, log };
}

/** As `runOnce`, and again after each retry, without waiting. `waits` are the waits that a worker would have made, ms. */
export async function runToEnd(task: Task, call: TaskCall = {}): Promise<TaskRun & { readonly waits: readonly number[] }> {
  const waits: number[] = [];
  for (let retries = call.retries ?? 0; ; retries += 1) {
    const run = await runOnce(task, { ...call, retries });
    if (run.outcome.kind !== "retry" || waits.length >= 1_000) return { ...run, waits };
    waits.push(run.outcome.delayMs);
  }
}
