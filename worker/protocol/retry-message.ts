import type { MessageProperties } from "../ports.ts";
import { encodeTask } from "./encode-task.ts";
import { formatIso } from "./json/iso.ts";
import { saferepr } from "./saferepr.ts";
import { ENQUEUED_AT_HEADER, type TaskMessage } from "./task-message.ts";

/** Left on, RabbitMQ takes the message for one that runs in a circle, and drops it (celery#10111). */
const BROKER_HEADERS = /^x-(death|first-death-|last-death-|delivery-count|acquired-count|opt-)/;

export interface RetryOptions {
  /** When to run again, ms since the epoch; absent runs at once. */
  readonly eta?: number;
  /** Now, ms since the epoch: what is left until `expires` becomes the message's own expiry. */
  readonly now: number;
  /** Instead of the task's own arguments. */
  readonly args?: readonly unknown[];
  readonly kwargs?: Readonly<Record<string, unknown>>;
  readonly priority?: number;
  /** Counts as a retry. False puts the same attempt off: a rate limit, a lease that is busy. Default true. */
  readonly attempt?: boolean;
}

/**
 * The message that runs a task once more: same id, root, group and links, `retries` one higher, the task as its own parent.
 * celery/app/task.py `retry`, `as_execution_options`. Arguments that do not change are sent as the very bytes that came.
 * Never says where to send it. Throws JsonError when new arguments cannot be written.
 */
export function encodeRetry(
  task: TaskMessage,
  options: RetryOptions,
): { readonly properties: MessageProperties; readonly body: Uint8Array } {
  const { args, kwargs, now } = options;
  const attempt = options.attempt ?? true;
  const replaced = args !== undefined || kwargs !== undefined;
  const priority = options.priority ?? task.priority;
  const { eta: _eta, expires, ...same } = task;
  const fresh = encodeTask({
    ...same,
    args: args ?? task.args,
    kwargs: kwargs ?? task.kwargs,
    origin: task.origin ?? "",
    headers: {},
    ...(expires === undefined ? {} : { expires: expires.getTime(), expirationMs: expires.getTime() - now }),
    ...(priority === undefined ? {} : { priority }),
  });
  const kept = Object.fromEntries(Object.entries(task.headers).filter(([name]) => !BROKER_HEADERS.test(name)));
  const isNew = task.protocol === 1;
  return {
    properties: {
      ...fresh.properties,
      contentType: replaced || isNew ? "application/json" : task.contentType,
      headers: {
        ...fresh.properties.headers,
        ...kept,
        eta: options.eta === undefined ? null : formatIso(options.eta),
        retries: task.retries + (attempt ? 1 : 0),
        ...(attempt ? { parent_id: task.id } : {}),
        ...(args === undefined ? {} : { argsrepr: saferepr(args, { tuple: true }) }),
        ...(kwargs === undefined ? {} : { kwargsrepr: saferepr(kwargs) }),
        ...(replaced || isNew ? { compression: undefined } : {}),
        [ENQUEUED_AT_HEADER]: now,
      },
    },
    body: replaced || isNew ? fresh.body : task.body,
  };
}
