import type { Observation } from "./observation.ts";
import type { RateFigures } from "./rates.ts";

/** How many replicas the work needs, before any limit. */
export interface Need {
  readonly replicas: number;
  readonly reason: "BacklogThreshold" | "WaitObjective" | "Probing" | "Idle";
  /** The calculation in words. */
  readonly words: string;
  /** Replicas that the measured arrival rate keeps busy: never a reason to grow, a reason not to shrink. */
  readonly steady: number;
}

export interface NeedInput {
  readonly observation: Observation;
  readonly rates: RateFigures;
  readonly startupSeconds: number;
  /** Slots of one replica. */
  readonly concurrency: number;
  readonly backlogPerReplica?: number | undefined;
  readonly waitSeconds?: number | undefined;
  /** For a wait objective whose service time is not known yet: how many replicas to try it with. */
  readonly probe: number;
}

/** Share of its time that a slot works at the aimed-for load. */
const UTILISATION = 0.8;
/** Reserve for chance, in square roots of the offered load (Halfin-Whitt square-root staffing). */
const RESERVE = 0.5;
/** A wait objective leaves at least this long to work off a backlog, s. */
const LEAST_CATCH_UP_SECONDS = 1;

/** The higher of what the two targets ask for. Counts only what is known: with an untrusted backlog the answer is a lower bound. */
export function needOf(input: NeedInput): Need {
  const { observation, rates, concurrency } = input;
  const holdRate = Math.min(rates.fast, rates.slow);
  const steady = whole((holdRate * (rates.serviceSeconds ?? 0)) / (concurrency * UTILISATION));
  const needs = [byThreshold(input), byWait(input)].filter((need) => need !== undefined);
  const highest = needs.reduce((best, need) => (need.replicas > best.replicas ? need : best), idle);
  // Work that is known of is never left without a replica, however little it weighs.
  const least = observation.total.value > 0 ? 1 : 0;
  return { ...highest, replicas: Math.max(highest.replicas, least), steady };
}

type Part = Omit<Need, "steady">;

const idle: Part = { replicas: 0, reason: "Idle", words: "nothing waits and nothing runs" };

function byThreshold({ observation, backlogPerReplica }: NeedInput): Part | undefined {
  const { total } = observation;
  if (backlogPerReplica === undefined || total.value === 0) return undefined;
  return {
    replicas: whole(total.value / backlogPerReplica),
    reason: "BacklogThreshold",
    words: `${backlogWords(observation)} at ${backlogPerReplica} per replica`,
  };
}

/**
 * Offered load with a margin and a reserve, the backlog within what the objective leaves after start-up, and what arrives meanwhile:
 * λS/(kρ) + β√(λS)/k + (R·S/k)/max(T−B, 1) + λSB/(kT).
 */
function byWait({ observation, rates, startupSeconds, concurrency, waitSeconds, probe }: NeedInput): Part | undefined {
  if (waitSeconds === undefined) return undefined;
  const { ready, total } = observation;
  const { serviceSeconds } = rates;
  const rate = Math.max(rates.fast, rates.slow);
  if (serviceSeconds === undefined) {
    if (total.value === 0) return undefined;
    const replicas = Math.min(probe, whole(total.value / concurrency));
    return {
      replicas,
      reason: "Probing",
      words: `${backlogWords(observation)}; how long a task takes is not known yet, trying with ${replicas}`,
    };
  }
  const load = rate * serviceSeconds;
  const startup = Math.min(startupSeconds, waitSeconds);
  const catchUp = Math.max(waitSeconds - startup, LEAST_CATCH_UP_SECONDS);
  const replicas =
    load / (concurrency * UTILISATION) +
    (RESERVE * Math.sqrt(load)) / concurrency +
    (ready.value * serviceSeconds) / concurrency / catchUp +
    (load * startup) / (concurrency * waitSeconds);
  if (replicas < 1e-6) return undefined;
  return {
    replicas: whole(replicas),
    reason: "WaitObjective",
    words:
      `${backlogWords(observation)}, ${figure(rate)} tasks/s arriving, ${figure(serviceSeconds)} s each in ${concurrency} ` +
      `${concurrency === 1 ? "slot" : "slots"}, to wait at most ${figure(waitSeconds)} s`,
  };
}

const backlogWords = ({ ready, inFlight, total }: Observation): string =>
  `backlog ${figure(total.value)} (${figure(ready.value)} ready, ${figure(inFlight.value)} in flight)`;

/** Rounds up, forgiving the noise of floating point. */
const whole = (value: number): number => Math.max(0, Math.ceil(value - 1e-9));

const figure = (value: number): string => String(Number(value.toPrecision(value >= 1_000 ? 6 : 3)));
