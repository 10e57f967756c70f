import { DRAINING_ANNOTATION, nodeName } from "../../../worker/contract/names.ts";
import type { Pod } from "../../kinds/worker-pool/pods.ts";
import type { WorkerPool } from "../../kinds/worker-pool/schema.ts";
import type { Clock } from "../../runtime/clock.ts";
import { PEERS_STALE_MS } from "../drain/drain-plan.ts";
import { askWorkers } from "./answers.ts";
import type { BrokerSensor } from "./broker-sensor.ts";
import { celeryCounters, type HeardBeat } from "./celery-beats.ts";
import { paced } from "./pace.ts";
import type { PodWork, Reading, WorkCounters } from "./reading.ts";

/** Python workers that are being drained, or that send no beats, are asked this often, ms: an answer does not grow stale before the next. */
const ASK_EVERY_MS = 1_500;
/** The others are asked only for what they have prefetched, ms. */
const ASK_ALL_EVERY_MS = 5_000;
/** A beat comes every 2 s; one that is older than this says nothing any more, ms. */
const BEAT_STALE_MS = 3_000;

/** What workers without our heartbeats do, and what they have done. */
export interface Testimony {
  readonly answers: ReadonlyMap<string, Reading<PodWork>>;
  readonly counters: ReadonlyMap<string, WorkCounters>;
}

export interface Interviewer {
  /** As far as it is known now; begins to ask them again when it is time. */
  testimony(pool: WorkerPool, pods: readonly Pod[], sensor: BrokerSensor | undefined): Testimony;
}

const NONE: Testimony = { answers: new Map(), counters: new Map() };

/**
 * Finds out what the pods of a pool do when they send no heartbeats of ours. Python workers are heard by Celery's own events and asked for the
 * rest; before one is removed, only its own answer counts. For any other image the broker is asked.
 */
export function createInterviewer(clock: Clock): Interviewer {
  const elapsed = () => clock.elapsed();
  const [some, all] = [paced(ASK_EVERY_MS), paced(ASK_ALL_EVERY_MS)];
  let said: ReadonlyMap<string, Reading<PodWork>> = new Map();

  const ask = async (sensor: BrokerSensor, names: readonly string[]): Promise<void> => {
    if (names.length === 0) return;
    try {
      said = new Map([...said, ...(await askWorkers(sensor.control, names, elapsed))]);
    } catch {
      // The broker's own failure is told by its sensor; here the answers grow old.
    }
  };

  return {
    testimony({ spec }, pods, sensor) {
      if (spec.runtime === "longshore" || sensor === undefined || pods.length === 0) return NONE;
      if (spec.runtime === "custom") return { answers: byAddress(pods, sensor, elapsed()), counters: NONE.counters };
      const running = pods.filter(({ status }) => status?.phase === "Running");
      const names = running.map(({ metadata }) => metadata.name);
      const heard = sensor.celeryBeats(elapsed);
      const now = elapsed();
      const isHeard = ({ metadata }: Pod): boolean =>
        metadata.annotations?.[DRAINING_ANNOTATION] === undefined &&
        now - (heard.get(nodeName(metadata.name))?.at ?? -Infinity) <= BEAT_STALE_MS;
      const unheard = running.filter((pod) => !isHeard(pod)).map(({ metadata }) => metadata.name);
      const living = new Set(names);
      said = new Map([...said].filter(([pod]) => living.has(pod)));
      void all(elapsed, () => ask(sensor, names));
      void some(elapsed, () => ask(sensor, unheard));
      const answers = new Map(said);
      for (const pod of running.filter(isHeard)) {
        const { name } = pod.metadata;
        const reading = fromBeat(heard.get(nodeName(name)), said.get(name));
        if (reading !== undefined) answers.set(name, reading);
      }
      return { answers, counters: celeryCounters(names, heard) };
    },
  };
}

/** A beat counts what runs; what was prefetched is what the last answer said beyond that. Without any answer nothing is known of it. */
function fromBeat(heard: HeardBeat | undefined, said: Reading<PodWork> | undefined): Reading<PodWork> | undefined {
  if (heard === undefined || said === undefined || said.at >= heard.at) return said;
  const { active } = heard.beat;
  const prefetched = Math.max(0, said.value.unacked - said.value.busy);
  return { value: { busy: active, unacked: active + prefetched, consuming: said.value.consuming }, at: heard.at };
}

function byAddress(pods: readonly Pod[], sensor: BrokerSensor, now: number): ReadonlyMap<string, Reading<PodWork>> {
  const answers = new Map<string, Reading<PodWork>>();
  for (const { metadata, status } of pods) {
    const unacked = status?.podIP === undefined ? undefined : sensor.unackedOf(status.podIP);
    if (unacked === undefined || now - unacked.at > PEERS_STALE_MS) continue;
    answers.set(metadata.name, { value: { busy: unacked.value, unacked: unacked.value, consuming: undefined }, at: now });
  }
  return answers;
}
