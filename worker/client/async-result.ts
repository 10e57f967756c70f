import { decodeResult, resultKey, type StoredResult } from "../protocol/result.ts";
import { isReady } from "../protocol/states.ts";
import { type ErrorMakers, ResultTimeoutError, taskError } from "./errors.ts";
import type { ResultsPort } from "./ports.ts";

export interface WaitOptions {
  /** Gives up after this long. Without it, waits for ever: a lost broker or worker is then a caller that hangs. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with each state on the way, such as STARTED or PROGRESS. */
  readonly onState?: ((result: StoredResult) => void) | undefined;
}

/** The promise of a task's result. `Result` is what the caller expects; it is not checked. */
export interface AsyncResult<Result = unknown> {
  readonly id: string;
  /** The return value. Throws TaskError, or the user's own class, when the task failed; ResultTimeoutError when it took too long. */
  get(options?: WaitOptions): Promise<Result>;
  /** What is stored now; state PENDING when nothing is, also for an id that never existed. */
  read(): Promise<StoredResult>;
  /** Removes the stored result. */
  forget(): Promise<void>;
}

export interface ResultReader {
  readonly results: ResultsPort | undefined;
  readonly errors: ErrorMakers;
  readonly decompress?: (body: Uint8Array, compression: string) => Uint8Array;
}

/** The result of the task with that id, whoever sent it. */
export function asyncResult<Result>(id: string, reader: ResultReader): AsyncResult<Result> {
  const results = (): ResultsPort => {
    if (reader.results === undefined) throw new TypeError("results cannot be read: connect() was given no resultBackend");
    return reader.results;
  };
  const decode = (row: Uint8Array): StoredResult => decodeResult(row, reader.decompress);
  return {
    id,
    async get(options = {}) {
      const result = await untilReady(id, results(), decode, options);
      if (result.state !== "SUCCESS") throw taskError(result, reader.errors);
      return result.result as Result;
    },
    async read() {
      const row = await results().read(resultKey(id));
      return row === undefined ? { id, state: "PENDING", result: null, children: [] } : decode(row);
    },
    forget: () => results().remove(resultKey(id)),
  };
}

async function untilReady(
  id: string,
  results: ResultsPort,
  decode: (row: Uint8Array) => StoredResult,
  options: WaitOptions,
): Promise<StoredResult> {
  const { timeoutMs, signal, onState } = options;
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<StoredResult>();
  const abort = (): void => reject(signal?.reason instanceof Error ? signal.reason : new Error("aborted"));
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => reject(new ResultTimeoutError(id, timeoutMs)), timeoutMs);
  signal?.addEventListener("abort", abort, { once: true });
  const watching = results.watch(resultKey(id), (row) => {
    try {
      const result = decode(row);
      if (isReady(result.state)) resolve(result);
      else onState?.(result);
    } catch (error) {
      reject(error instanceof Error ? error : new Error(String(error)));
    }
  });
  // A watch that fails ends the wait; one that starts too late is ended below all the same.
  watching.catch(reject);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
    void watching.then(
      (stop) => stop(),
      () => {}, // already told through `promise`
    );
  }
}
