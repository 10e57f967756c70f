import type { Task, TaskContext } from "../tasks/define-task.ts";

/** How a slot runs a task. The engine owns slots, leases, limits and results; a pool only runs. */
export interface Pool extends AsyncDisposable {
  readonly name: string;
  /** The task's value. Rejects with what it threw. */
  run(task: Task, input: unknown, context: TaskContext): Promise<unknown>;
}
