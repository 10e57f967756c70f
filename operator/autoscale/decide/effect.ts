import type { Observation } from "../observe/observation.ts";
import type { Progress } from "../observe/progress.ts";
import type { RateFigures } from "../observe/rates.ts";

/** What the guards against useless growth remember of one pool; a plain value, replaced on each look. */
export interface Effect {
  /** One look per second while every slot is busy and messages wait; empty otherwise. */
  readonly looks: readonly Look[];
  /** When a task was finished last, or there was none to finish; and how many pods worked then. */
  readonly last: { readonly at: number; readonly finished: number; readonly workers: number } | undefined;
  /** When more pods worked than at `last`. */
  readonly moreSince: number | undefined;
  /** Since when messages wait and no worker takes one. */
  readonly refusedSince: number | undefined;
  readonly redelivered: readonly (Progress & { readonly at: number })[];
  /** Scaling was found not to help at this time. */
  readonly uselessAt: number | undefined;
  /** Why more replicas would not help. */
  readonly ineffective: string | undefined;
}

export interface EffectInput {
  readonly now: number;
  readonly observation: Observation;
  /** undefined: the workers do not say what they finish. */
  readonly progress?: Progress | undefined;
  readonly rates: RateFigures;
  /** Slots of one replica. */
  readonly concurrency: number;
}

interface Look {
  readonly at: number;
  readonly finished: number;
  readonly workers: number;
}

export const NO_EFFECT: Effect = {
  looks: [],
  last: undefined,
  moreSince: undefined,
  refusedSince: undefined,
  redelivered: [],
  uselessAt: undefined,
  ineffective: undefined,
};

/** Ready workers that take nothing from a queue in which messages wait are stuck after this long, ms. */
const TAKES_NOTHING_MS = 15_000;
/** Nothing finished for this many service times, and for at least so long, in old pods and new: stuck. */
const SERVICE_TIMES = 10;
const LEAST_STUCK_MS = 60_000;
/** While no service time was ever measured: RabbitMQ's own default for a delivery that is never acknowledged (`consumer_timeout`). */
const UNKNOWN_STUCK_MS = 1_800_000;
/** A loop of redeliveries: over this time, so many, and more than were finished. */
const LOOP_MS = 60_000;
const LOOP_LEAST = 10;
/** Two neighbouring windows of this length are compared before and after growth, ms. */
const WINDOW_MS = 30_000;
/** Less than this share of the gain that the added replicas promise is none. As Flink's autoscaler has it. */
const LEAST_GAIN = 0.1;
/** The promised gain must exceed so many standard deviations of the difference of two Poisson counts: else it may be chance. */
const DEVIATIONS = 6;
/** After this long growth is tried again, ms. */
const TRY_AGAIN_MS = 300_000;
const LOOK_EVERY_MS = 1_000;

/**
 * Whether more replicas would help, from what earlier ones did: consumers that are stuck, messages that come back again and again, and growth
 * after which no more was finished. Only ever a reason not to grow. Pure.
 */
export function judgeEffect(before: Effect, { now, observation, progress, rates, concurrency }: EffectInput): Effect {
  const workers = observation.pods.filter(({ state, drainingSince }) => state === "working" && drainingSince === undefined).length;
  const refused = takesNothing(observation, workers);
  const refusedSince = refused ? (before.refusedSince ?? now) : undefined;
  if (progress === undefined) return { ...NO_EFFECT, refusedSince, ineffective: takesWords(workers, refusedSince, now) };

  const { finished } = progress;
  const restarted = before.last === undefined || finished > before.last.finished || observation.inFlight.value === 0;
  const last = restarted ? { at: now, finished, workers } : before.last;
  const moreSince = restarted || last === undefined || workers <= last.workers ? undefined : (before.moreSince ?? now);
  const looks = nextLooks(before.looks, { at: now, finished, workers }, isSaturated(observation, workers, concurrency));
  const redelivered = nextRedelivered(before.redelivered, progress, now);
  const uselessAt = looks.length === 0 ? undefined : stillUseless(before.uselessAt, looks, now);
  const stuckMs =
    rates.serviceSeconds === undefined ? UNKNOWN_STUCK_MS : Math.max(LEAST_STUCK_MS, rates.serviceSeconds * SERVICE_TIMES * 1_000);
  const stuck = last !== undefined && moreSince !== undefined && now - moreSince >= stuckMs;
  const ineffective =
    takesWords(workers, refusedSince, now) ??
    loopWords(redelivered) ??
    (stuck ? `${workers} replicas work and not one task was finished for ${seconds(now - last.at)}` : undefined) ??
    (uselessAt === undefined ? undefined : "the replicas that were added last finish no more tasks than there were finished without them");
  return { looks, last, moreSince, refusedSince, redelivered, uselessAt, ineffective };
}

const seconds = (ms: number): string => `${Math.round(ms / 1_000)} s`;

/** Every pod's work is known, it is ready and runs nothing, and yet messages wait. */
function takesNothing({ ready, inFlight, pods }: Observation, workers: number): boolean {
  if (workers === 0 || ready.value === 0 || inFlight.value > 0 || ready.trust !== "fresh" || inFlight.trust !== "fresh") return false;
  return pods.every((pod) => pod.state !== "starting" || pod.ready);
}

const takesWords = (workers: number, since: number | undefined, now: number): string | undefined =>
  since === undefined || now - since < TAKES_NOTHING_MS
    ? undefined
    : `messages wait and ${workers} ${workers === 1 ? "replica takes" : "replicas take"} none of them`;

function nextRedelivered(before: Effect["redelivered"], progress: Progress, now: number): Effect["redelivered"] {
  if (now - (before.at(-1)?.at ?? Number.NEGATIVE_INFINITY) < LOOK_EVERY_MS) return before;
  const kept = before.filter(({ at }) => at >= now - LOOP_MS);
  // While nothing comes back, one entry is enough: it moves along.
  const again = kept.some(({ redelivered }) => redelivered !== progress.redelivered);
  return again ? [...kept, { ...progress, at: now }] : [{ ...progress, at: now }];
}

function loopWords(looks: Effect["redelivered"]): string | undefined {
  const [first, latest] = [looks[0], looks.at(-1)];
  if (first === undefined || latest === undefined) return undefined;
  const again = latest.redelivered - first.redelivered;
  const finished = latest.finished - first.finished;
  if (again < LOOP_LEAST || again <= finished) return undefined;
  return `messages come back: ${again} were delivered again within ${seconds(LOOP_MS)}, and ${finished} tasks were finished`;
}

function isSaturated({ ready, pods }: Observation, workers: number, concurrency: number): boolean {
  const busy = pods.reduce((sum, pod) => sum + (pod.busy ?? 0), 0);
  return workers > 0 && ready.trust === "fresh" && ready.value > 0 && busy >= 0.9 * workers * concurrency;
}

function nextLooks(before: readonly Look[], look: Look, saturated: boolean): readonly Look[] {
  if (!saturated) return [];
  if (look.at - (before.at(-1)?.at ?? Number.NEGATIVE_INFINITY) < LOOK_EVERY_MS) return before;
  return [...before.filter(({ at }) => at >= look.at - 2 * WINDOW_MS - LOOK_EVERY_MS), look];
}

/** Compares the last window with the one before it, as long as every slot was busy throughout both. */
function stillUseless(before: number | undefined, looks: readonly Look[], now: number): number | undefined {
  if (before !== undefined && now - before < TRY_AGAIN_MS) return before;
  const old = looks.filter(({ at }) => at < now - WINDOW_MS);
  const fresh = looks.filter(({ at }) => at >= now - WINDOW_MS);
  const [first, middle, latest] = [old[0], fresh[0], fresh.at(-1)];
  if (first === undefined || middle === undefined || latest === undefined || now - first.at < 2 * WINDOW_MS) return undefined;
  const was = middle.finished - first.finished;
  // The two windows differ by a look: at hundreds of tasks per second that is more than chance.
  const is = ((latest.finished - middle.finished) * (middle.at - first.at)) / Math.max(1, latest.at - middle.at);
  const promised = was * (meanWorkers(fresh) / meanWorkers(old) - 1);
  if (promised < DEVIATIONS * Math.sqrt(2 * was) || promised <= 0) return undefined;
  return is - was < LEAST_GAIN * promised ? now : undefined;
}

const meanWorkers = (looks: readonly Look[]): number => looks.reduce((sum, { workers }) => sum + workers, 0) / looks.length;
