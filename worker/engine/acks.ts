import type { Delivery } from "../ports.ts";
import type { Task } from "../tasks/define-task.ts";

/** Celery's `task_acks_late` and `task_acks_on_failure_or_timeout`, for tasks that do not say. */
export interface AckDefaults {
  readonly late: boolean;
  readonly onFailureOrTimeout: boolean;
}

export type AckOptions = Pick<Task, "acksLate" | "acksOnFailureOrTimeout">;

export const acksLate = (task: AckOptions, { late }: AckDefaults): boolean => task.acksLate ?? late;

/** Whether a failed task's message is done with. An early one is in any case: it is gone. */
export const acksFailure = (task: AckOptions, defaults: AckDefaults): boolean =>
  !acksLate(task, defaults) || (task.acksOnFailureOrTimeout ?? defaults.onFailureOrTimeout);

/** The delivery from now on, once it is acknowledged: there is nothing left to settle. */
export function ackedNow(delivery: Delivery): Delivery {
  delivery.ack();
  const settled = (): boolean => false;
  return { ...delivery, ack: settled, reject: settled };
}
