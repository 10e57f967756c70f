import { LeaseLost } from "../leases/keeper.ts";
import type { CanvasPlan } from "../protocol/canvas/canvas-plan.ts";
import type { ValueMap } from "../protocol/json/value.ts";
import { encodeResult, resultKey } from "../protocol/result.ts";
import { commitIn } from "../tasks/commit-in.ts";
import type { TaskContext, TaskLog } from "../tasks/define-task.ts";
import { requestOf, type TaskRequest } from "../tasks/task-request.ts";
import type { RunDeps, RunRequest } from "./run-task.ts";
import { openSending, type Sending } from "./sending.ts";

/** The context of one attempt. What most tasks never ask for is made when one does; every function of it works on its own, too. */
export class TaskScope implements TaskContext {
  readonly taskId: string;
  readonly retries: number;
  readonly redelivered: boolean;
  readonly fence: string;
  /** Past `effect()`: from here a crash is not followed by a silent repetition. */
  effectBegun: boolean;
  readonly #deps: RunDeps;
  readonly #of: RunRequest;
  #asked: TaskRequest | undefined;
  #log: TaskLog | undefined;
  #sending: Sending | undefined;

  constructor(deps: RunDeps, of: RunRequest) {
    const { task, delivery, lease } = of;
    this.taskId = task.id;
    this.retries = task.retries;
    this.redelivered = delivery.redelivered;
    this.fence = lease.fence;
    this.effectBegun = lease.how === "in-doubt";
    this.#deps = deps;
    this.#of = of;
  }

  get request(): TaskRequest {
    const { task, definition, delivery } = this.#of;
    return (this.#asked ??= requestOf(task, delivery, this.#deps.settings.limits(task, definition)));
  }

  get signal(): AbortSignal {
    return this.#of.control.signal;
  }

  get log(): TaskLog {
    return (this.#log ??= this.#deps.log.child({ task: this.#of.task.name, taskId: this.taskId }));
  }

  get effect(): TaskContext["effect"] {
    return async () => {
      const { control, definition, lease } = this.#of;
      if (control.aborted) control.signal.throwIfAborted();
      const held = definition.mode === "none" || (await this.#deps.leases.effect(lease));
      if (!held) throw new LeaseLost(`the lease of ${lease.key} was taken over`);
      this.effectBegun = true;
    };
  }

  get commitIn(): TaskContext["commitIn"] {
    const { key, fence } = this.#of.lease;
    return (transaction, value = null) => commitIn(key, fence, transaction, value);
  }

  get progress(): TaskContext["progress"] {
    const id = this.taskId;
    return (details: ValueMap) => this.#deps.leases.store(resultKey(id), encodeResult({ id, state: "PROGRESS", result: details }));
  }

  get send(): TaskContext["send"] {
    return this.#sends.context.send;
  }

  get addToChord(): TaskContext["addToChord"] {
    return this.#sends.context.addToChord;
  }

  get replace(): TaskContext["replace"] {
    return this.#sends.context.replace;
  }

  get failInstead(): TaskContext["failInstead"] {
    return this.#sends.context.failInstead;
  }

  /** What the task asked to send so far. */
  get plans(): readonly CanvasPlan[] {
    return this.#sending?.plans ?? [];
  }

  get #sends(): Sending {
    return (this.#sending ??= openSending(this.#of.task));
  }
}
