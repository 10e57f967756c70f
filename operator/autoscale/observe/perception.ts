import { startupSecondsOf } from "../sense/pod-readings.ts";
import type { PodReadings, PoolReadings, QueueReadings, WorkCounters, ZeroMemory } from "../sense/reading.ts";
import type { Observation } from "./observation.ts";
import { observe } from "./observe.ts";
import { addProgress, NO_PROGRESS, type Progress } from "./progress.ts";
import { addSample, NO_RATES, type RateFigures, ratesAt } from "./rates.ts";
import { rememberZero } from "./zero.ts";

/** Before a pod of the pool has ever become ready, s. */
const STARTUP_SECONDS = 3;
/** A beat this young says what the worker consumes now, ms. */
const CONSUMES_MS = 3_000;

/** What is known of a pool, all told: the input of `evaluate`. */
export interface Sight {
  readonly observation: Observation;
  readonly pods: readonly PodReadings[];
  readonly rates: RateFigures;
  /** undefined: the workers do not say what they finish. */
  readonly progress: Progress | undefined;
  readonly startupSeconds: number;
}

export interface Perceived extends Omit<PoolReadings, "queues"> {
  readonly queues: readonly Omit<QueueReadings, "zero">[];
  /** By pod, of every worker that was ever heard. */
  readonly counters: ReadonlyMap<string, WorkCounters>;
}

/** Judges one pool's readings, and remembers what zeros, rates and the start-up time need. No clock, no socket: the simulator uses the same. */
export function createPerception(): (perceived: Perceived) => Sight {
  const zeros = new Map<string, ZeroMemory>();
  let rates = NO_RATES;
  let progress = NO_PROGRESS;
  let startupSeconds = STARTUP_SECONDS;

  const withZero = (queue: Omit<QueueReadings, "zero">, pods: readonly PodReadings[], now: number): QueueReadings => {
    const heard = pods.some(({ work }) => work?.value.consuming?.includes(queue.name) === true && now - work.at < CONSUMES_MS);
    const zero = rememberZero(zeros.get(queue.name), queue, heard, now);
    if (zero === undefined) zeros.delete(queue.name);
    else zeros.set(queue.name, zero);
    return { ...queue, zero };
  };

  return ({ now, pods, counters, alarms, failures, ...perceived }) => {
    startupSeconds = startupSecondsOf(pods) ?? startupSeconds;
    const queues = perceived.queues.map((queue) => withZero(queue, pods, now));
    const observation = observe({ now, queues, pods, alarms, failures });
    const backlog = observation.total.trust === "fresh" ? unweighted(queues) + observation.inFlight.value : undefined;
    progress = addProgress(progress, counters);
    rates = addSample(rates, { at: now, backlog, counters });
    return { observation, pods, rates: ratesAt(rates, now), progress: counters.size === 0 ? undefined : progress.sums, startupSeconds };
  };
}

const unweighted = (queues: readonly QueueReadings[]): number =>
  queues.reduce((sum, { live, totals }) => {
    if (totals?.value.type === "stream") return sum + (totals.value.lag ?? 0);
    return sum + (live !== undefined && "ready" in live.value ? live.value.ready : 0);
  }, 0);
