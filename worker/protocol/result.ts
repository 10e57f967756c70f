import { asException, type PyException } from "./exception.ts";
import { isMap } from "./json/is-value.ts";
import { formatIso } from "./json/iso.ts";
import { decodeJson, encodeJson } from "./json/json.ts";
import type { Value } from "./json/value.ts";
import { isException, isReady, type State } from "./states.ts";

/** Celery's `result_expires`. */
export const RESULT_TTL_SECONDS = 86_400;

/** A task's row in the result backend. Fields that Celery leaves out when unset are optional; source: `_get_result_meta`. */
export interface TaskResult {
  readonly id: string;
  readonly state: State | (string & {});
  /** The return value, or the details of a custom state such as PROGRESS. Ignored where `error` is set. */
  readonly result?: unknown;
  /** For FAILURE, REVOKED and RETRY. Without it Python's `get()` breaks, so one is made up for these states. */
  readonly error?: PyException;
  readonly traceback?: string;
  /** Results of the tasks that this one published, as `AsyncResult.as_tuple()` writes them. */
  readonly children?: readonly Value[];
  /** Milliseconds, or the text that Python wrote. Stored only with a final state. */
  readonly dateDone?: number | string;
  readonly groupId?: string;
  readonly parentId?: string;
  /** With `result_extended`: name, args, kwargs, worker, retries, queue, in this order, and stamps. */
  readonly extended?: Readonly<Record<string, unknown>>;
}

/** What was read back: `result` is the value, or null where `error` says why there is none. */
export interface StoredResult extends TaskResult {
  readonly result: Value;
  readonly children: readonly Value[];
}

/** The key of a task's result, and the channel on which it is published. celery/backends/base.py */
export const resultKey = (id: string): string => `celery-task-meta-${id}`;

/** The key of a saved group. */
export const groupKey = (id: string): string => `celery-taskset-meta-${id}`;

/** The JSON that Celery stores and publishes, byte for byte. Throws JsonError when the result cannot be written. */
export function encodeResult(task: TaskResult): string {
  const ready = isReady(task.state);
  const done = ready && task.dateDone !== undefined ? task.dateDone : null;
  return encodeJson({
    status: task.state,
    result: isException(task.state) ? (task.error ?? NO_REASON) : (task.error ?? task.result ?? null),
    traceback: task.traceback ?? null,
    children: task.children ?? [],
    date_done: typeof done === "number" ? formatIso(done) : done,
    group_id: task.groupId || undefined,
    parent_id: task.parentId || undefined,
    ...task.extended,
    task_id: task.id,
  });
}

/**
 * Reads what any Celery stored; 5.7 may compress it, which `decompress` undoes. Throws JsonError for what is no JSON,
 * TypeError for JSON that is no result or a compression that cannot be undone.
 */
export function decodeResult(
  payload: string | Uint8Array,
  decompress?: (body: Uint8Array, compression: string) => Uint8Array,
): StoredResult {
  const meta = decodeJson(typeof payload === "string" ? payload : plainPayload(payload, decompress));
  if (!isMap(meta) || typeof meta["status"] !== "string") throw new TypeError("not a Celery result: expected an object with a status");
  const { status, result, traceback, children, date_done, group_id, parent_id, task_id, ...rest } = meta;
  const error = isException(status) ? asException(result) : undefined;
  return {
    id: typeof task_id === "string" ? task_id : "",
    state: status,
    result: error === undefined ? (result ?? null) : null,
    children: Array.isArray(children) ? (children as readonly Value[]) : [],
    ...(error === undefined ? {} : { error }),
    ...(typeof traceback === "string" ? { traceback } : {}),
    ...(date_done instanceof Date ? { dateDone: date_done.getTime() } : {}),
    ...(typeof date_done === "string" ? { dateDone: date_done } : {}),
    ...(typeof group_id === "string" ? { groupId: group_id } : {}),
    ...(typeof parent_id === "string" ? { parentId: parent_id } : {}),
    ...(Object.keys(rest).length > 0 ? { extended: rest } : {}),
  };
}

/** `\\0celery-compressed\\0<content type>\\0<bytes>`: celery/backends/base.py `compress_payload` of 5.7. */
function plainPayload(payload: Uint8Array, decompress?: (body: Uint8Array, compression: string) => Uint8Array): Uint8Array {
  if (payload[0] !== 0 || Buffer.from(payload.subarray(0, COMPRESSED_PREFIX.length)).toString("latin1") !== COMPRESSED_PREFIX)
    return payload;
  const end = payload.indexOf(0, COMPRESSED_PREFIX.length);
  const type = Buffer.from(payload.subarray(COMPRESSED_PREFIX.length, end)).toString("latin1");
  if (end < 0 || decompress === undefined) throw new TypeError(`a result compressed as ${JSON.stringify(type)} cannot be read`);
  return decompress(payload.subarray(end + 1), type);
}

/** What a compressed row begins with; then its content type, a zero byte, and the bytes. */
export const COMPRESSED_PREFIX = "\0celery-compressed\0";
const NO_REASON: PyException = { exc_type: "Exception", exc_message: ["the task gave no reason"], exc_module: "builtins" };
