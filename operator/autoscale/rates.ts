import type { WorkCounters } from "./reading.ts";

/** One second of arrivals; `seconds` is how much of it was measured. */
interface Bucket {
  readonly second: number;
  readonly arrived: number;
  readonly measured: number;
}

/** Memory of the rates of one pool; a plain value, replaced on each sample. */
export interface Rates {
  readonly buckets: readonly Bucket[];
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
  readonly serviceSeconds: number | undefined;
}

const FAST_SECONDS = 10;
const SLOW_SECONDS = 60;
/** A burst may fill that many buckets and is still no rate: its tasks are in the backlog already. */
const BURST_BUCKETS = 3;
/** About as many finished tasks make up the service time. */
const SERVICE_MEMORY = 50;

export const NO_RATES: Rates = { buckets: [], busySeconds: 0, finished: 0 };

/** Adds a sample: what arrived is what the backlog grew by plus what was finished. A process that began anew only loses its own last interval. */
export function addSample(rates: Rates, sample: RateSample): Rates {
  const { last } = rates;
  const done = last === undefined ? { finished: 0, busyMs: 0 } : finishedSince(last.counters, sample.counters);
  const keep = Math.exp(-done.finished / SERVICE_MEMORY);
  const next = {
    busySeconds: rates.busySeconds * keep + done.busyMs / 1_000,
    finished: rates.finished * keep + done.finished,
  };
  if (sample.backlog === undefined) return { ...next, buckets: rates.buckets };
  const remembered = { at: sample.at, backlog: sample.backlog, counters: sample.counters };
  if (last === undefined || sample.at <= last.at) return { ...next, buckets: rates.buckets, last: remembered };
  const arrived = sample.backlog - last.backlog + done.finished;
  return { ...next, buckets: fill(rates.buckets, sample.at, arrived, (sample.at - last.at) / 1_000), last: remembered };
}

/** The figures at a time. Never negative. */
export function ratesAt(rates: Rates, now: number): RateFigures {
  return {
    fast: meanRate(rates.buckets, now, FAST_SECONDS),
    slow: meanRate(rates.buckets, now, SLOW_SECONDS),
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
function fill(buckets: readonly Bucket[], at: number, arrived: number, measured: number): readonly Bucket[] {
  const second = Math.floor(at / 1_000);
  const kept = buckets.filter((bucket) => bucket.second > second - SLOW_SECONDS && bucket.second !== second);
  const same = buckets.find((bucket) => bucket.second === second);
  return [...kept, { second, arrived: (same?.arrived ?? 0) + arrived, measured: (same?.measured ?? 0) + measured }];
}

/** Mean with the highest buckets cut down to the next one: a single burst is no rate. */
function meanRate(buckets: readonly Bucket[], now: number, seconds: number): number {
  const from = Math.floor(now / 1_000) - seconds;
  const inside = buckets.filter(({ second }) => second > from);
  const measured = inside.reduce((sum, bucket) => sum + bucket.measured, 0);
  if (measured <= 0) return 0;
  const highestFirst = inside.map(({ arrived }) => arrived).sort((a, b) => b - a);
  const cut = Math.max(0, highestFirst[BURST_BUCKETS] ?? 0);
  const arrived = inside.reduce((sum, bucket) => sum + Math.min(bucket.arrived, cut), 0);
  return Math.max(0, arrived / Math.max(measured, 1));
}
