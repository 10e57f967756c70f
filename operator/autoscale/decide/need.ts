import type { Observation } from "../observe/observation.ts";
import type { RateFigures } from "../observe/rates.ts";
import { forWait } from "./wait-need.ts";
import { whole } from "./whole.ts";

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
  /** Replicas, those that start included. */
  readonly current: number;
  /** Of these, how many are being drained. */
  readonly draining: number;
  /** For a wait objective whose service time is not known yet: how many replicas to try it with. */
  readonly probe: number;
}

/** Share of its time that a slot works at the aimed-for load, where the arrival rate holds a pool of `backlogPerReplica`. */
const UTILISATION = 0.8;

/** The higher of what the two targets ask for. Counts only what is known: with an untrusted backlog the answer is a lower bound. */
export function needOf(input: NeedInput): Need {
  const { observation, rates, concurrency } = input;
  const holdRate = Math.min(rates.fast, rates.slow);
  // A wait objective counts the arrival rate itself.
  const steady = input.waitSeconds !== undefined ? 0 : whole((holdRate * (rates.serviceSeconds ?? 0)) / (concurrency * UTILISATION));
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

function byWait(input: NeedInput): Part | undefined {
  const { observation, rates, concurrency, waitSeconds, startupSeconds } = input;
  const size = input.current - input.draining;
  if (waitSeconds === undefined) return undefined;
  const { ready, total } = observation;
  const { serviceSeconds } = rates;
  if (serviceSeconds === undefined) {
    if (total.value === 0) return undefined;
    const replicas = Math.min(input.probe, whole(total.value / concurrency));
    const words = `${backlogWords(observation)}; how long a task takes is not known yet, trying with ${replicas}`;
    return { replicas, reason: "Probing", words };
  }
  const need = forWait({ ready: ready.value, rates, serviceSeconds, waitSeconds, startupSeconds, concurrency, size });
  // Nothing is started for what is not there: the rate of the past keeps replicas, and never adds any. The last one is the cooldown's.
  const replicas = total.value > 0 ? need.replicas : Math.min(need.replicas, size);
  if (replicas === 0 || (total.value === 0 && replicas === 1)) return undefined;
  return {
    replicas,
    reason: "WaitObjective",
    words:
      `${backlogWords(observation)}, ${figure(need.rate)} tasks/s arriving, ${figure(serviceSeconds)} s each in ${concurrency} ` +
      `${concurrency === 1 ? "slot" : "slots"}, to wait at most ${figure(waitSeconds)} s` +
      (need.kept ? `; enough from ${need.least} to ${need.most}` : ""),
  };
}

const backlogWords = ({ ready, inFlight, total }: Observation): string =>
  `backlog ${figure(total.value)} (${figure(ready.value)} ready, ${figure(inFlight.value)} in flight)`;

const figure = (value: number): string => String(Number(value.toPrecision(value >= 1_000 ? 6 : 3)));
