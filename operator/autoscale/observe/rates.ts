import type { WorkCounters } from "../sense/reading.ts";
import { type Believed, believe, type Rate } from "./believed-rate.ts";

/** What arrived within one second, or within one block of seconds. */
interface Bucket {
  /** Its number since the epoch of the clock. */
  readonly nth: number;
  readonly arrived: number;
  /** How much of it was measured, s. */
  readonly measured: number;
}

/** Memory of the rates of one pool; a plain value, replaced on each sample. */
export interface Rates {
  /** By second, for a minute. */
  readonly buckets: readonly Bucket[];
  /** By ten seconds, for five minutes. */
  readonly blocks: readonly Bucket[];
  readonly last?: { readonly at: number; readonly backlog: number; readonly counters: ReadonlyMap<string, WorkCounters> };
  /** Decayed sums over finished tasks: their quotient is the service time. */
  readonly busySeconds: number;
  readonly finished: number;
}

export interface RateSample {
  /** ms, our clock. */
  readonly at: number;
  /** Unweighted ready + in flight; undefined when it cannot be trusted: then the next sample begins anew. */
  readonly backlog: number | undefined;
  /** By pod, the last that was heard, be it old: a pod that comes back after silence must not count anew. */
  readonly counters: ReadonlyMap<string, WorkCounters>;
}

/** Tasks per second over the last 10 s and the last 60 s; mean service time in seconds, undefined until a task has finished. */
export interface RateFigures {
  readonly fast: number;
  readonly slow: number;
  /** The best guess of the rate now; absent: `slow`. */
  readonly believed?: Believed | undefined;
  /** What arrived at least in each of the last full seconds: a surge is seen within these, a burst of one second never. */
  readonly surge?: number | undefined;
  readonly serviceSeconds: number | undefined;
}

const FAST_SECONDS = 10;
export const SLOW_SECONDS = 60;
/** Windows longer than that. */
const LONG_SECONDS = [120, 300] as const;
const BLOCK_SECONDS = 10;
const BLOCKS = 30;
/** A burst may fill that many buckets and is still no rate: its tasks are in the backlog already. */
const BURST_BUCKETS = 5;
const BURST_BLOCKS = 2;
/** A surge lasts that many whole seconds. */
const SURGE_SECONDS = 4;
/** Windows between the fast and the slow one. */
const BETWEEN_SECONDS = [20, 40] as const;
/** The service time is that of about as many finished tasks, and at a high rate of this many seconds: a few long ones must not swing it. */
const SERVICE_MEMORY = 50;
const SERVICE_MEMORY_SECONDS = 300;

export const NO_RATES: Rates = { buckets: [], blocks: [], busySeconds: 0, finished: 0 };

/** Adds a sample: what arrived is what the backlog grew by plus what was finished. A process that began anew only loses its own last interval. */
export function addSample(rates: Rates, sample: RateSample): Rates {
  const { last } = rates;
  const done = last === undefined ? { finished: 0, busyMs: 0 } : finishedSince(last.counters, sample.counters);
  const passed = last === undefined ? 0 : Math.max(0, sample.at - last.at) / 1_000;
  const keep = Math.exp(-Math.min(done.finished / SERVICE_MEMORY, passed / SERVICE_MEMORY_SECONDS));
  const next: Rates = {
    buckets: rates.buckets,
    blocks: rates.blocks,
    busySeconds: rates.busySeconds * keep + done.busyMs / 1_000,
    finished: rates.finished * keep + done.finished,
  };
  if (sample.backlog === undefined) return next;
  const remembered = { at: sample.at, backlog: sample.backlog, counters: sample.counters };
  if (last === undefined || sample.at <= last.at) return { ...next, last: remembered };
  const arrived = sample.backlog - last.backlog + done.finished;
  const second = Math.floor(sample.at / 1_000);
  return {
    ...next,
    buckets: fill(rates.buckets, { nth: second, arrived, measured: passed }, SLOW_SECONDS),
    blocks: fill(rates.blocks, { nth: Math.floor(second / BLOCK_SECONDS), arrived, measured: passed }, BLOCKS),
    last: remembered,
  };
}

/** The figures at a time. Never negative. */
export function ratesAt(rates: Rates, now: number): RateFigures {
  const second = Math.floor(now / 1_000);
  const block = Math.floor(second / BLOCK_SECONDS);
  const over = (seconds: number): Rate => meanRate(rates.buckets, second - seconds, BURST_BUCKETS);
  const overBlocks = (seconds: number): Rate => meanRate(rates.blocks, block - seconds / BLOCK_SECONDS, BURST_BLOCKS);
  const [fast, slow] = [over(FAST_SECONDS), over(SLOW_SECONDS)];
  // As long as there is no longer past than the minute, its blocks say nothing new.
  const long = LONG_SECONDS.map(overBlocks).filter(({ seconds }) => seconds > SLOW_SECONDS);
  // The present one is not full yet.
  const counts = rates.blocks.filter(({ nth, measured }) => nth < block && measured > BLOCK_SECONDS / 2);
  return {
    fast: fast.rate,
    slow: slow.rate,
    believed: believe(
      [fast, ...BETWEEN_SECONDS.map(over), slow, ...long],
      counts.map(({ arrived, measured }) => (Math.max(0, arrived) / measured) * BLOCK_SECONDS),
    ),
    surge: lowestOf(rates.buckets, second, SURGE_SECONDS),
    serviceSeconds: rates.finished < 0.5 ? undefined : rates.busySeconds / rates.finished,
  };
}

function finishedSince(before: ReadonlyMap<string, WorkCounters>, after: ReadonlyMap<string, WorkCounters>) {
  let finished = 0;
  let busyMs = 0;
  for (const [pod, counters] of after) {
    const old = before.get(pod);
    const same = old?.boot === counters.boot;
    finished += Math.max(0, counters.finished - (same ? (old?.finished ?? 0) : 0));
    busyMs += Math.max(0, counters.busyMs - (same ? (old?.busyMs ?? 0) : 0));
  }
  return { finished, busyMs };
}

/** The ready count and the heartbeats are not of the same moment, so that a difference may be below 0: it evens out in the mean. */
function fill(buckets: readonly Bucket[], { nth, arrived, measured }: Bucket, keep: number): readonly Bucket[] {
  const kept = buckets.filter((bucket) => bucket.nth > nth - keep && bucket.nth !== nth);
  const same = buckets.find((bucket) => bucket.nth === nth);
  return [...kept, { nth, arrived: (same?.arrived ?? 0) + arrived, measured: (same?.measured ?? 0) + measured }];
}

/** Mean with the `bursts` highest buckets cut down to what the next one makes likely: a single burst is no rate. */
function meanRate(buckets: readonly Bucket[], after: number, bursts: number): Rate {
  const inside = buckets.filter(({ nth }) => nth > after);
  const measured = inside.reduce((sum, bucket) => sum + bucket.measured, 0);
  if (measured <= 0) return { rate: 0, seconds: 1 };
  const highestFirst = inside.map(({ arrived }) => arrived).sort((a, b) => b - a);
  const usual = Math.max(0, highestFirst[bursts] ?? 0);
  const cut = usual + 3 * Math.sqrt(usual) + 2;
  const arrived = inside.reduce((sum, bucket) => sum + Math.min(bucket.arrived, cut), 0);
  const seconds = Math.max(1, measured);
  return { rate: Math.max(0, arrived / seconds), seconds };
}

/** The lowest rate of the last full seconds; 0 when one of them was not measured. */
function lowestOf(buckets: readonly Bucket[], current: number, seconds: number): number {
  const inside = buckets.filter(({ nth }) => nth < current && nth >= current - seconds);
  return inside.length < seconds ? 0 : Math.max(0, Math.min(...inside.map(({ arrived, measured }) => arrived / Math.max(measured, 0.5))));
}
