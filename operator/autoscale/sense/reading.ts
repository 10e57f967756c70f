/** What the sensors said, each with the time on our own clock when it arrived. Pure data: `observe.ts` judges it. */
import type { QueueTotals, ReadyCount } from "../../adapters/ports.ts";

/** A value and when we got it, ms on our own clock. */
export interface Reading<T> {
  readonly value: T;
  readonly at: number;
}

/** What is known of a queue's last zero: since when the count has been 0 without a gap, and whether a second sensor has agreed. */
export interface ZeroMemory {
  readonly since: number;
  readonly confirmed: boolean;
}

export interface QueueReadings {
  readonly name: string;
  /** How much one waiting task of this queue counts. */
  readonly weight: number;
  readonly live?: Reading<ReadyCount> | undefined;
  /** From the broker's bulk endpoint; undefined when it was never read or does not list the queue. */
  readonly totals?: Reading<QueueTotals> | undefined;
  readonly zero?: ZeroMemory | undefined;
}

/** What one worker does, from its heartbeat or from its answers to remote control. */
export interface PodWork {
  readonly busy: number;
  readonly unacked: number;
  /** Queues with a live consumer; undefined when the worker does not say. */
  readonly consuming: readonly string[] | undefined;
}

/** Counters of one worker process; they grow within one boot. */
export interface WorkCounters {
  readonly boot: string;
  readonly finished: number;
  readonly busyMs: number;
  /** Deliveries that the broker had delivered before; undefined when the worker does not say. */
  readonly redelivered?: number | undefined;
}

export interface PodReadings {
  readonly name: string;
  readonly ready: boolean;
  /** The worker's container has started and runs. False: nothing can be in flight there. */
  readonly running: boolean;
  /** Being deleted: it no longer counts as a replica. */
  readonly leaving: boolean;
  readonly createdAt: number;
  /** When it became ready, on the API server's clock, as `createdAt` is. */
  readonly readyAt?: number | undefined;
  /** When its consumers were cancelled by us; from the pod's annotation. */
  readonly drainingSince?: number | undefined;
  /** `at`: when it was last known to be true; a heartbeat whose `seq` stands still grows old. */
  readonly work?: Reading<PodWork> | undefined;
  /** Whether the store was read and holds no word of this pod at all. */
  readonly neverBeat: boolean;
}

/** All that is known of one pool at one time. */
export interface PoolReadings {
  readonly now: number;
  readonly queues: readonly QueueReadings[];
  readonly pods: readonly PodReadings[];
  readonly alarms: readonly string[];
  /** Why the broker or the store cannot be read now, in words for the user. */
  readonly failures: readonly string[];
}

/** A live count older than this says nothing any more, ms. */
export const LIVE_STALE_MS = 3_000;
/** Totals are some seconds old when they arrive, and are read every few seconds. */
export const TOTALS_STALE_MS = 15_000;
/** The broker's own metrics are refreshed at least this often, ms: younger ones may speak of the time before. */
export const TOTALS_LAG_MS = 5_000;
