import { HEARTBEAT_STALE_MS } from "../../../worker/contract/heartbeat.ts";
import {
  LIVE_STALE_MS,
  type PodReadings,
  type PoolReadings,
  type QueueReadings,
  TOTALS_LAG_MS,
  TOTALS_STALE_MS,
} from "../sense/reading.ts";
import { type Measured, type Observation, type PodSeen, type Trust, worseTrust } from "./observation.ts";

/** What is true of the pool now, and how far each number can be trusted. Never takes silence for zero. */
export function observe(readings: PoolReadings): Observation {
  const { now } = readings;
  const pods = readings.pods.map((pod) => seePod(pod, now));
  const queues = readings.queues.map((queue) => ({ queue, ...seeQueue(queue, now) }));
  const ready: Measured = {
    value: queues.reduce((sum, { queue, value }) => sum + value * queue.weight, 0),
    trust: queues.reduce<Trust>((worst, { trust }) => worseTrust(worst, trust), "fresh"),
  };
  const inFlight = seeInFlight(pods, readings);
  return {
    ready,
    inFlight,
    total: { value: ready.value + inFlight.value, trust: worseTrust(ready.trust, inFlight.trust) },
    pods,
    missingQueues: queues.filter(({ queue }) => isMissing(queue)).map(({ queue }) => queue.name),
    alarms: readings.alarms,
    doubts: [
      ...readings.failures,
      ...some(queues.flatMap(({ doubt }) => (doubt === undefined ? [] : [doubt]))),
      ...(inFlight.trust === "fresh" ? [] : [silence(pods)]),
    ],
  };
}

/** A pool of hundreds of queues names some of them. */
const some = (doubts: readonly string[]): readonly string[] =>
  doubts.length <= MOST_DOUBTS ? doubts : [...doubts.slice(0, MOST_DOUBTS), `${doubts.length - MOST_DOUBTS} more queues likewise`];
const MOST_DOUBTS = 3;

const isMissing = ({ live }: QueueReadings): boolean => live !== undefined && "missing" in live.value;

interface QueueSeen extends Measured {
  readonly doubt?: string;
}

function seeQueue({ name, live, totals, zero }: QueueReadings, now: number): QueueSeen {
  if (live === undefined) return { value: 0, trust: "missing", doubt: `queue ${name}: not read yet` };
  if ("missing" in live.value) return { value: 0, trust: "missing", doubt: `queue ${name} does not exist on the broker` };
  if ("refused" in live.value) return { value: 0, trust: "missing", doubt: `queue ${name}: ${live.value.refused}` };
  if (totals?.value.type === "stream") return seeStream(name, totals, now);
  const { ready } = live.value;
  if (now - live.at > LIVE_STALE_MS) return { value: ready, trust: "stale", doubt: `queue ${name}: its last reading is too old` };
  if (ready > 0 || zero?.confirmed === true) return { value: ready, trust: "fresh" };
  if (totals !== undefined && now - totals.at <= TOTALS_STALE_MS && totals.value.ready > 0) {
    return { value: 0, trust: "contradicted", doubt: `queue ${name}: reads 0, but the broker's totals say ${totals.value.ready} ready` };
  }
  return { value: 0, trust: "unconfirmed", doubt: `queue ${name}: reads 0, and no second sensor has agreed yet` };
}

/** A stream keeps what was consumed: not its length is the backlog, but how far its consumers are behind. */
function seeStream(name: string, { value, at }: NonNullable<QueueReadings["totals"]>, now: number): QueueSeen {
  if (value.lag === undefined) {
    const doubt = `queue ${name} is a stream, and RabbitMQ's Prometheus endpoint does not say how far its consumers are behind`;
    return { value: 0, trust: "missing", doubt };
  }
  return now - at > TOTALS_STALE_MS
    ? { value: value.lag, trust: "stale", doubt: `queue ${name}: its last reading is too old` }
    : { value: value.lag, trust: "fresh" };
}

function seePod(pod: PodReadings, now: number): PodSeen {
  const seen = { name: pod.name, ready: pod.ready, drainingSince: pod.drainingSince };
  const fresh = pod.work !== undefined && now - pod.work.at <= HEARTBEAT_STALE_MS ? pod.work.value : undefined;
  const { busy, unacked } = fresh ?? {};
  if (pod.leaving) return { ...seen, state: "leaving", busy, unacked };
  // The worker's own word comes before the kubelet's, which is a second late.
  if (fresh !== undefined) return { ...seen, state: "working", busy, unacked };
  // A worker beats before it consumes: one that is not ready and never beat has taken nothing.
  if (!pod.running || (!pod.ready && pod.neverBeat)) return { ...seen, state: "starting", busy: 0, unacked: 0 };
  return { ...seen, state: "silent", busy, unacked };
}

/** From the workers; where some are silent, from the broker's totals, which count every consumer of the queues. */
function seeInFlight(pods: readonly PodSeen[], { queues, now }: PoolReadings): Measured {
  const heard = pods.reduce((sum, { unacked }) => sum + (unacked ?? 0), 0);
  if (!pods.some(({ state }) => state === "silent")) return { value: heard, trust: "fresh" };
  const totals = queues.map(({ totals: of }) => of);
  if (totals.some((of) => of === undefined || now - of.at > TOTALS_STALE_MS)) return { value: heard, trust: "missing" };
  const counted = totals.reduce((sum, of) => sum + (of?.value.unacked ?? 0), 0);
  return { value: Math.max(heard, counted), trust: totals.some((of) => now - (of?.at ?? 0) > 2 * TOTALS_LAG_MS) ? "stale" : "fresh" };
}

function silence(pods: readonly PodSeen[]): string {
  const names = pods.filter(({ state }) => state === "silent").map(({ name }) => name);
  const shown = names.slice(0, 3).join(", ") + (names.length > 3 ? ` and ${names.length - 3} more` : "");
  return `what is in flight is not known: no word from ${shown}`;
}
