import type { MessageProperties } from "../ports.ts";
import type { Task, TaskContext } from "../tasks/define-task.ts";

/** What a pool needs besides the task: the message as it came, for another thread to read, and the order to stop at any price. */
export interface Call {
  readonly message: { readonly properties: MessageProperties; readonly body: Uint8Array };
  /** Of the task's lease; "" without one. */
  readonly key: string;
  /** Aborts when nobody waits for the task any more: a hard limit, a lost lease. A pool that can, ends what runs it. */
  readonly kill: { readonly signal: AbortSignal };
}

/** How a slot runs a task. The engine owns slots, leases, limits and results; a pool only runs. */
export interface Pool extends AsyncDisposable {
  readonly name: string;
  /** Processes that run tasks, as `inspect stats` lists them. */
  readonly pids: readonly number[];
  /** The task's value. Rejects with what it threw, with `ChildLost` when what ran it died. */
  run(task: Task, input: unknown, context: TaskContext, call: Call): Promise<unknown>;
}

/** The thread or process that ran a task ended by itself: out of memory, `process.exit`, a crash. */
export class ChildLost extends Error {
  override readonly name = "WorkerLostError";
  readonly pyClass = "billiard.exceptions.WorkerLostError";
}
