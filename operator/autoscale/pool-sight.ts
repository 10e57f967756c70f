import type { Pod } from "../kinds/worker-pool/pods.ts";
import type { BrokerSensor } from "./broker-sensor.ts";
import { type Beats, NO_BEATS } from "./heartbeats.ts";
import type { Observation } from "./observation.ts";
import { observe } from "./observe.ts";
import { countersOf, podReadings, startupSecondsOf } from "./pod-readings.ts";
import type { PoolPlan } from "./policy.ts";
import { addSample, NO_RATES, type RateFigures, ratesAt } from "./rates.ts";
import type { PodReadings, PodWork, QueueReadings, Reading, ZeroMemory } from "./reading.ts";
import { rememberZero } from "./zero.ts";

/** Before a pod of the pool has ever become ready, s. */
const STARTUP_SECONDS = 3;

export interface Sight {
  readonly observation: Observation;
  readonly pods: readonly PodReadings[];
  readonly rates: RateFigures;
  readonly startupSeconds: number;
}

export interface Sources {
  readonly plan: PoolPlan;
  readonly pods: readonly Pod[];
  /** undefined: the Broker is not there, or its Secret is not. */
  readonly broker: BrokerSensor | undefined;
  readonly beats: Beats | undefined;
  /** Why the broker or the store cannot be found or read. */
  readonly problems: readonly string[];
  /** What workers without heartbeats said when asked. */
  readonly answers: ReadonlyMap<string, Reading<PodWork>>;
  /** Monotonic, ms. */
  readonly now: number;
}

/** One pool's eyes: takes all readings together, and remembers what rates and zeros need. */
export function createSight(): (sources: Sources) => Sight {
  const zeros = new Map<string, ZeroMemory>();
  let rates = NO_RATES;
  let startupSeconds = STARTUP_SECONDS;

  const readQueue = (name: string, weight: number, { broker, now }: Sources, pods: readonly PodReadings[]): QueueReadings => {
    const queue = { name, weight, live: broker?.live(name), totals: broker?.totals(name) };
    const heard = pods.some(({ work }) => work?.value.consuming?.includes(name) === true && now - work.at < 3_000);
    const zero = rememberZero(zeros.get(name), queue, heard, now);
    if (zero === undefined) zeros.delete(name);
    else zeros.set(name, zero);
    return { ...queue, zero };
  };

  return (sources) => {
    const { plan, broker, beats = NO_BEATS, now } = sources;
    const pods = podReadings(sources.pods, beats, sources.answers);
    startupSeconds = startupSecondsOf(pods) ?? startupSeconds;
    const queues = plan.queues.map(({ name, weight }) => readQueue(name, weight, sources, pods));
    const failures = [...sources.problems, ...(broker?.failures ?? [])];
    const observation = observe({ now, queues, pods, alarms: broker?.alarms ?? [], failures });
    const backlog = observation.total.trust === "fresh" ? unweighted(queues) + observation.inFlight.value : undefined;
    rates = addSample(rates, { at: now, backlog, counters: countersOf(beats) });
    return { observation, pods, rates: ratesAt(rates, now), startupSeconds };
  };
}

const unweighted = (queues: readonly QueueReadings[]): number =>
  queues.reduce((sum, { live }) => sum + (live !== undefined && "ready" in live.value ? live.value.ready : 0), 0);
