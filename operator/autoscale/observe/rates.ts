import type { WorkCounters } from "../sense/reading.ts";

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
  /** Decayed sums over time: their quotient is the arrival rate of minutes. */
  readonly arrived: number;
  readonly measured: number;
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

/** A mean, and over how many seconds it was taken. */
export interface Believed {
  readonly rate: number;
  readonly seconds: number;
}

const FAST_SECONDS = 10;
export const SLOW_SECONDS = 60;
const LONG_SECONDS = 300;
/** A burst may fill that many buckets and is still no rate: its tasks are in the backlog already. */
const BURST_BUCKETS = 5;
/** A surge lasts that many whole seconds. */
const SURGE_SECONDS = 4;
/** Windows between the fast and the slow one. */
const BETWEEN_SECONDS = [20, 40] as const;
/** A longer past is believed no more when it is that many standard deviations away from a shorter one. */
const CONTRADICTION = 4;
/** The service time is that of about as many finished tasks, and at a high rate of this many seconds: a few long ones must not swing it. */
const SERVICE_MEMORY = 50;
const SERVICE_MEMORY_SECONDS = 300;

export const NO_RATES: Rates = { buckets: [], arrived: 0, measured: 0, busySeconds: 0, finished: 0 };

/** Adds a sample: what arrived is what the backlog grew by plus what was finished. A process that began anew only loses its own last interval. */
export function addSample(rates: Rates, sample: RateSample): Rates {
  const { last } = rates;
  const done = last === undefined ? { finished: 0, busyMs: 0 } : finishedSince(last.counters, sample.counters);
  const passed = last === undefined ? 0 : Math.max(0, sample.at - last.at) / 1_000;
  const keep = Math.exp(-Math.min(done.finished / SERVICE_MEMORY, passed / SERVICE_MEMORY_SECONDS));
  const next = {
    arrived: rates.arrived,
    measured: rates.measured,
    busySeconds: rates.busySeconds * keep + done.busyMs / 1_000,
    finished: rates.finished * keep + done.finished,
  };
  if (sample.backlog === undefined) return { ...next, buckets: rates.buckets };
  const remembered = { at: sample.at, backlog: sample.backlog, counters: sample.counters };
  if (last === undefined || sample.at <= last.at) return { ...next, buckets: rates.buckets, last: remembered };
  const arrived = sample.backlog - last.backlog + done.finished;
  const fade = Math.exp(-passed / LONG_SECONDS);
  return {
    ...next,
    arrived: rates.arrived * fade + arrived,
    measured: rates.measured * fade + passed,
    buckets: fill(rates.buckets, sample.at, arrived, passed),
    last: remembered,
  };
}

/** The figures at a time. Never negative. */
export function ratesAt(rates: Rates, now: number): RateFigures {
  const fast = meanRate(rates.buckets, now, FAST_SECONDS);
  const slow = meanRate(rates.buckets, now, SLOW_SECONDS);
  const between = BETWEEN_SECONDS.map((seconds) => ({ rate: meanRate(rates.buckets, now, seconds), seconds }));
  const long = rates.measured < SLOW_SECONDS ? [] : [{ rate: Math.max(0, rates.arrived / rates.measured), seconds: LONG_SECONDS }];
  return {
    fast,
    slow,
    believed: believe([{ rate: fast, seconds: FAST_SECONDS }, ...between, { rate: slow, seconds: SLOW_SECONDS }, ...long]),
    surge: lowestOf(rates.buckets, now, SURGE_SECONDS),
    serviceSeconds: rates.finished < 0.5 ? undefined : rates.busySeconds / rates.finished,
  };
}

/**
 * The mean over the longest time that no shorter one contradicts by more than chance explains: precise while nothing changes, and quick
 * when something does (Lepski's choice of a window). Counts are compared by their square roots, whose deviation is a half whatever the
 * mean is (Anscombe, Biometrika 35, 1948).
 */
function believe(shortestFirst: readonly Believed[]): Believed {
  let [chosen = { rate: 0, seconds: FAST_SECONDS }] = shortestFirst;
  const root = ({ rate }: Believed, seconds: number): number => Math.sqrt(rate * seconds + 3 / 8);
  for (const [index, longer] of shortestFirst.entries()) {
    const shorter = shortestFirst.slice(0, index);
    if (shorter.some((short) => 2 * Math.abs(root(short, short.seconds) - root(longer, short.seconds)) > CONTRADICTION)) break;
    chosen = longer;
  }
  return chosen;
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

/** Mean with the highest buckets cut down to what the next one makes likely: a single burst is no rate. */
function meanRate(buckets: readonly Bucket[], now: number, seconds: number): number {
  const from = Math.floor(now / 1_000) - seconds;
  const inside = buckets.filter(({ second }) => second > from);
  const measured = inside.reduce((sum, bucket) => sum + bucket.measured, 0);
  if (measured <= 0) return 0;
  const highestFirst = inside.map(({ arrived }) => arrived).sort((a, b) => b - a);
  const usual = Math.max(0, highestFirst[BURST_BUCKETS] ?? 0);
  const cut = usual + 3 * Math.sqrt(usual) + 2;
  const arrived = inside.reduce((sum, bucket) => sum + Math.min(bucket.arrived, cut), 0);
  return Math.max(0, arrived / Math.max(measured, 1));
}

/** The lowest rate of the last full seconds; 0 when one of them was not measured. */
function lowestOf(buckets: readonly Bucket[], now: number, seconds: number): number {
  const current = Math.floor(now / 1_000);
  const inside = buckets.filter(({ second }) => second < current && second >= current - seconds);
  return inside.length < seconds ? 0 : Math.max(0, Math.min(...inside.map(({ arrived, measured }) => arrived / Math.max(measured, 0.5))));
}
