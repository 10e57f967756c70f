import { decompress } from "../compression.ts";
import type { StorePort } from "../ports.ts";
import { decodeResult } from "../protocol/result.ts";
import { SCRIPTS } from "./scripts.ts";

export type LeaseMode = "at-most-once" | "at-least-once";

/** How long records and leases live. */
export interface LeaseTimes {
  /** ms. Renewed at a third of it. A worker that vanishes blocks its tasks for this long at most. */
  readonly leaseMs: number;
  /** ms. Must exceed the longest time after which a message may still be delivered again. */
  readonly recordTtlMs: number;
  /** Seconds. Celery's `result_expires`. */
  readonly resultTtlS: number;
  /** Seconds, of failures. Celery's `result_failure_expires`; `resultTtlS` unless set. */
  readonly failureTtlS?: number;
}

export interface LeaseOptions {
  readonly times?: LeaseTimes;
  /** Where a record lies. */
  readonly toRecordKey?: (key: string) => string;
  /** How clients get a success; as text unless set. Other states are never compressed: a row that is may be taken for a success. */
  readonly compressRow?: ((result: string) => Uint8Array) | undefined;
}

export const LEASE_TIMES: LeaseTimes = { leaseMs: 30_000, recordTtlMs: 86_400_000, resultTtlS: 86_400 };

export interface BeginRequest {
  /** The idempotency key, with its namespace. */
  readonly key: string;
  /** Unique per delivery, so that a repeated call is recognised. */
  readonly owner: string;
  /** Digest of task and arguments; "" when the key alone decides. */
  readonly fingerprint: string;
  readonly mode: LeaseMode;
  readonly attempt: number;
  readonly taskId: string;
}

/** Proof of a right to run. The fence only grows per key: a resource that remembers the greatest one it saw can refuse a late comer. */
export interface Lease {
  readonly key: string;
  readonly fence: string;
  /** run: first time; takeover: an earlier worker vanished before any effect; in-doubt: it vanished after the effect had begun. */
  readonly how: "run" | "takeover" | "in-doubt";
}

export type Begun =
  | { readonly kind: "held"; readonly lease: Lease }
  | { readonly kind: "busy"; readonly ms: number }
  | {
      readonly kind: "stored";
      readonly key: string;
      readonly fence: string;
      readonly state: "DONE" | "DEAD" | "UNKNOWN";
      readonly result: string;
      readonly out: string;
      readonly taskId: string;
    }
  | { readonly kind: "stale"; readonly key: string; readonly fence: string; readonly out: string }
  | { readonly kind: "mismatch"; readonly taskId: string };

/** How a piece of work ended, for `commit`, `kill` and `release`. */
export interface Ending {
  /** JSON as Celery stores it; "" only for a release that changes no state. */
  readonly result: string;
  /** Where Celery's clients look for it; absent when results are ignored. */
  readonly resultKey?: string;
  /** What must be published now, encoded; "" for nothing. */
  readonly out: string;
}

/** The state machine of idempotency. Each method is one script, and safe to repeat. */
export interface Leases {
  begin(request: BeginRequest): Promise<Begun>;
  renew(lease: Lease): Promise<boolean>;
  /** Call right before the irreversible act. False: the lease is lost, do not act. */
  effect(lease: Lease): Promise<boolean>;
  /** False: the lease was lost, the result is thrown away. */
  commit(lease: Lease, ending: Ending): Promise<boolean>;
  kill(lease: Lease, ending: Ending): Promise<boolean>;
  release(lease: Lease, ending: Ending, nextAttempt: number): Promise<boolean>;
  clear(key: string, fence: string): Promise<void>;
  /** A result outside any lease. A stored SUCCESS stays as it is. */
  store(resultKey: string, result: string): Promise<void>;
  /** That a task is revoked, where no worker has started it. */
  revoke(resultKey: string, result: string): Promise<void>;
}

/** The record of a key. The braces keep all of it on one slot of a Redis cluster. */
export const recordKey = (key: string): string => `longshore:idem:{${key}}`;

/** Share of the lease that must be left when an effect begins. */
const EFFECT_MARGIN = 0.25;

const SUCCESS = '{"status": "SUCCESS"';
const FAILURE = '{"status": "FAILURE"';
/** A script's answer: the row that is there is compressed, and only a caller can tell what it says. */
const COMPRESSED_ROW = 2;

/** The commands over a store. On a cluster the result lives in another slot than the record, so it is written by a second call. */
export function openLeases(store: StorePort, options: LeaseOptions = {}): Leases {
  const { times = LEASE_TIMES, toRecordKey = recordKey, compressRow } = options;
  const yes = (reply: unknown): boolean => reply === 1 || reply === COMPRESSED_ROW;
  const ttlOf = (result: string): number => (result.startsWith(FAILURE) ? (times.failureTtlS ?? times.resultTtlS) : times.resultTtlS);
  const rowOf = (result: string): string | Uint8Array =>
    compressRow !== undefined && result.startsWith(SUCCESS) ? compressRow(result) : result;

  const storeRow = async (key: string, result: string): Promise<void> => {
    const reply = await store.run(SCRIPTS.store, [key], [rowOf(result), ttlOf(result)]);
    if (reply === COMPRESSED_ROW) await overwrite(key, result);
  };

  /** Over a row that is compressed, unless that is a success. */
  const overwrite = async (key: string, result: string): Promise<void> => {
    const [old] = await store.read([key]);
    if (old !== undefined && decodeResult(old, decompress).state === "SUCCESS") return;
    await store.run(SCRIPTS.store, [key], [rowOf(result), ttlOf(result), "1"]);
  };

  const end = (script: "commit" | "kill" | "release", lease: Lease, ending: Ending, more: readonly number[]): Promise<boolean> => {
    const { result, resultKey, out } = ending;
    const together = resultKey !== undefined && !store.clustered;
    const keys = together ? [toRecordKey(lease.key), resultKey] : [toRecordKey(lease.key)];
    const row = rowOf(result);
    const args: (string | number | Uint8Array)[] = [lease.fence, result, out, times.recordTtlMs, ttlOf(result), ...more];
    if (row !== result) args.push(row);
    return store.run(SCRIPTS[script], keys, args).then((reply) => {
      const alone = reply === COMPRESSED_ROW || (reply === 1 && !together && result !== "");
      return alone && resultKey !== undefined ? storeAlone(resultKey, result, reply) : yes(reply);
    });
  };

  /** The row of an ending that was not written with it. */
  const storeAlone = async (resultKey: string, result: string, reply: unknown): Promise<boolean> => {
    if (reply === COMPRESSED_ROW) await overwrite(resultKey, result);
    else await storeRow(resultKey, result);
    return true;
  };

  const renew = async (lease: Lease): Promise<boolean> =>
    yes(await store.run(SCRIPTS.renew, [toRecordKey(lease.key)], [lease.fence, times.leaseMs, times.recordTtlMs]));

  return {
    renew,
    begin({ key, owner, fingerprint, mode, attempt, taskId }) {
      const args = [owner, times.leaseMs, fingerprint, times.recordTtlMs, mode, attempt, taskId];
      return store.run(SCRIPTS.begin, [toRecordKey(key)], args).then((reply) => toBegun(key, reply));
    },
    async effect(lease) {
      const ask = (): Promise<unknown> =>
        store.run(SCRIPTS.effect, [toRecordKey(lease.key)], [lease.fence, Math.floor(times.leaseMs * EFFECT_MARGIN)]);
      const reply = await ask();
      if (reply !== -1) return yes(reply);
      return (await renew(lease)) && yes(await ask());
    },
    commit: (lease, ending) => end("commit", lease, ending, []),
    kill: (lease, ending) => end("kill", lease, ending, []),
    release: (lease, ending, nextAttempt) => end("release", lease, ending, [nextAttempt]),
    async clear(key, fence) {
      await store.run(SCRIPTS.clear, [toRecordKey(key)], [fence]);
    },
    store: storeRow,
    async revoke(key, result) {
      await store.run(SCRIPTS.revoke, [key], [result, times.resultTtlS]);
    },
  };
}

const HOW = { RUN: "run", TAKEOVER: "takeover", INDOUBT: "in-doubt" } as const;

/** The script's reply as a value. Throws on a reply that no version of the script gives. */
function toBegun(key: string, reply: unknown): Begun {
  if (!Array.isArray(reply)) throw new TypeError(`begin.lua answered ${JSON.stringify(reply)}`);
  const parts: readonly unknown[] = reply;
  const text = (at: number): string => String(parts[at] ?? "");
  const status = parts[0];
  switch (status) {
    case "RUN":
    case "TAKEOVER":
    case "INDOUBT":
      return { kind: "held", lease: { key, fence: text(1), how: HOW[status] } };
    case "BUSY":
      return { kind: "busy", ms: Number(parts[1]) };
    case "STORED": {
      const state = text(2);
      if (state !== "DONE" && state !== "DEAD" && state !== "UNKNOWN") throw new TypeError(`begin.lua stored ${state}`);
      return { kind: "stored", key, fence: text(1), state, result: text(3), out: text(4), taskId: text(5) };
    }
    case "STALE":
      return { kind: "stale", key, fence: text(1), out: text(2) };
    case "MISMATCH":
      return { kind: "mismatch", taskId: text(1) };
    default:
      throw new TypeError(`begin.lua answered ${String(status)}`);
  }
}
