import type { PodState } from "../observe/observation.ts";
import type { PodWork, Reading } from "../sense/reading.ts";

/** How a pod's work can be known and its consumers be cancelled: by Celery's remote control, or not at all. */
export type Cooperation = "remote-control" | "none";

/** One pod that is being drained. Times are ms on our own clock, but for `since`. */
export interface DrainingPod {
  readonly state: PodState;
  /** A node was chosen for it. */
  readonly assigned: boolean;
  /** How long ago it was marked, ms. From the annotation, so that a restarted operator counts on. */
  readonly markedForMs: number;
  /** When it confirmed to this process that every consumer is cancelled. */
  readonly cordonedAt: number | undefined;
  /** When it was asked last. */
  readonly askedAt: number | undefined;
  readonly work: Reading<PodWork> | undefined;
  /** Unacked messages that the broker attributes to the pod; undefined when it was not asked or cannot tell. */
  readonly brokerUnacked: Reading<number> | undefined;
  /** The lowest deletion cost stands on the pod, and our cache has seen it. */
  readonly cheapest: boolean;
}

/**
 * - `cordon`: cancel its consumers, or do it again. - `wait`: it is not known to be idle yet, or was asked a moment ago.
 * - `lower-cost`: it is idle; make it the first to go. - `remove`: it is idle and the first to go. - `time-out`: as `remove`, but it still works.
 * - `raise-cost`: it is the first to go, and not known to be idle any more.
 */
export type DrainStep = "cordon" | "wait" | "lower-cost" | "remove" | "time-out" | "raise-cost";

/** How long an answer to remote control is waited for before a pod is asked again, ms. */
export const ASK_AGAIN_MS = 5_000;

/**
 * A reading proves idleness only when it was seen this long after the cordon: it may have been written one beat, and read one poll,
 * after it was true. ms.
 */
export const SETTLE_MS = 1_000;

/**
 * A pod that starts may consume before we hear of it, so it is waited for and then cordoned. One that has not come up for this long since it
 * was marked does not, ms.
 */
const COMES_UP_MS = 15_000;

/** The broker's list of channels is at most this old and still stands for now, ms. */
export const PEERS_STALE_MS = 12_000;

/**
 * What comes next for a pod that is being drained.
 *
 * ```mermaid
 * stateDiagram-v2
 *   [*] --> cordon: marked by annotation
 *   cordon --> wait: every consumer cancelled
 *   wait --> cordon: it consumes again, or did not answer
 *   wait --> lower_cost: idle by a reading newer than the cordon, and the broker agrees
 *   [*] --> lower_cost: it is on no node, or does not come up
 *   lower_cost --> remove: our cache has seen the cost
 *   remove --> [*]: scale lowered
 * ```
 * Never removes a pod on its silence, unless `timeoutMs` (0: none) is over.
 */
export function planDrain(pod: DrainingPod, cooperation: Cooperation, now: number, timeoutMs: number): DrainStep {
  if (pod.state === "leaving") return "wait";
  if (pod.state === "starting") return !pod.assigned || pod.markedForMs >= COMES_UP_MS ? cheapFirst(pod, "remove") : "wait";
  if (timeoutMs > 0 && pod.markedForMs > timeoutMs) return cheapFirst(pod, "time-out");
  const idle = cooperation === "none" ? isIdleByBroker(pod, now) : !mustAsk(pod, now) && isIdle(pod);
  if (idle) return cheapFirst(pod, "remove");
  if (pod.cheapest) return "raise-cost";
  const ask = cooperation !== "none" && mustAsk(pod, now) && (pod.askedAt === undefined || now - pod.askedAt >= ASK_AGAIN_MS);
  return ask ? "cordon" : "wait";
}

const cheapFirst = ({ cheapest }: DrainingPod, then: "remove" | "time-out"): DrainStep => (cheapest ? then : "lower-cost");

/** It never confirmed, or it has started to consume again since: its process began anew, or someone added a consumer. */
function mustAsk({ cordonedAt, work }: DrainingPod, now: number): boolean {
  if (cordonedAt === undefined) return true;
  const consumes = (work?.value.consuming?.length ?? 0) > 0;
  return consumes && work !== undefined && work.at >= cordonedAt + SETTLE_MS && work.at <= now;
}

function isIdle(pod: DrainingPod): boolean {
  const { state, work, cordonedAt = Number.POSITIVE_INFINITY, brokerUnacked } = pod;
  if (state !== "working" || work === undefined || work.at < cordonedAt + SETTLE_MS) return false;
  const { unacked, busy, consuming } = work.value;
  const brokerDenies = brokerUnacked !== undefined && brokerUnacked.at >= cordonedAt && brokerUnacked.value > 0;
  return unacked === 0 && busy === 0 && (consuming?.length ?? 0) === 0 && !brokerDenies;
}

/** An image that says nothing of itself: its consumers stay, so that the broker's word is the best there is, and SIGTERM the rest. */
const isIdleByBroker = ({ brokerUnacked, markedForMs }: DrainingPod, now: number): boolean =>
  brokerUnacked !== undefined && brokerUnacked.value === 0 && brokerUnacked.at >= now - Math.min(markedForMs, PEERS_STALE_MS);
