import { compress } from "../compression.ts";
import type { WorkerEnv } from "../contract/env.ts";
import type { LeaseOptions, LeaseTimes } from "../leases/leases.ts";
import type { Delivery } from "../ports.ts";
import { COMPRESSED_PREFIX, encodeResult, type TaskResult } from "../protocol/result.ts";
import type { TaskMessage } from "../protocol/task-message.ts";

/** What Celery's settings of the result backend add to each row. */
export interface ResultRows {
  /** `task_track_started`: the row of a task that begins now. */
  readonly started: ((task: TaskMessage, delivery: Delivery) => string) | undefined;
  /** `result_extended`: the result, and what is stored beside it. */
  readonly extend: (result: TaskResult, task: TaskMessage, delivery: Delivery) => TaskResult;
}

/** celery/backends/base.py `_get_result_meta`. The queue is the routing key, as there. */
function extendedFields(task: TaskMessage, delivery: Delivery, worker: string): Record<string, unknown> {
  const fields = { name: task.name, args: task.args, kwargs: task.kwargs, worker, retries: task.retries, queue: delivery.routingKey };
  if (Object.keys(task.stamps).length === 0) return fields;
  const stamps = Object.entries(task.stamps).filter(([name]) => task.stampedHeaders.includes(name));
  return { ...fields, stamped_headers: task.stampedHeaders, ...Object.fromEntries(stamps) };
}

/** Rows as the worker's settings want them. */
export function resultRows(env: WorkerEnv, worker: string, pid: number): ResultRows {
  const extend: ResultRows["extend"] = env.CELERY_RESULT_EXTENDED
    ? (result, task, delivery) => ({ ...result, extended: extendedFields(task, delivery, worker) })
    : (result) => result;
  const of = ({ group, parentId }: TaskMessage) => ({ ...(group && { groupId: group }), ...(parentId && { parentId }) });
  return {
    extend,
    started: env.CELERY_TASK_TRACK_STARTED
      ? (task, delivery) =>
          encodeResult(extend({ id: task.id, state: "STARTED", result: { pid, hostname: worker }, ...of(task) }, task, delivery))
      : undefined,
  };
}

/** How the settings want rows to be kept. */
export function leaseOptions(env: WorkerEnv, times: LeaseTimes): LeaseOptions {
  const method = env.CELERY_RESULT_COMPRESSION;
  const failureTtlS = env.CELERY_RESULT_FAILURE_EXPIRES;
  return {
    times: { ...times, resultTtlS: env.CELERY_RESULT_EXPIRES, ...(failureTtlS === undefined ? {} : { failureTtlS }) },
    compressRow: method === undefined ? undefined : (result) => compressedRow(result, method),
  };
}

function compressedRow(result: string, method: Parameters<typeof compress>[1]): Uint8Array {
  const { body, contentType } = compress(Buffer.from(result), method);
  return Buffer.concat([Buffer.from(`${COMPRESSED_PREFIX}${contentType}\0`), body]);
}
