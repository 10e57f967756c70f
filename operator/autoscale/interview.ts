import type { Pod } from "../kinds/worker-pool/pods.ts";
import type { WorkerPool } from "../kinds/worker-pool/schema.ts";
import type { Clock } from "../runtime/clock.ts";
import { askWorkers } from "./answers.ts";
import type { BrokerSensor } from "./broker-sensor.ts";
import { PEERS_STALE_MS } from "./drain-plan.ts";
import { paced } from "./pace.ts";
import type { PodWork, Reading } from "./reading.ts";

/** Python workers are asked this often, ms: often enough that an answer does not grow stale before the next. */
const ASK_EVERY_MS = 1_500;

export interface Interviewer {
  /** What workers without heartbeats do, as far as it is known now; begins to ask them again when it is time. */
  answers(pool: WorkerPool, pods: readonly Pod[], sensor: BrokerSensor | undefined): ReadonlyMap<string, Reading<PodWork>>;
}

const NONE: ReadonlyMap<string, Reading<PodWork>> = new Map();

/** Finds out what the pods of a pool do when they send no heartbeats: Python workers are asked, for any other image the broker is. */
export function createInterviewer(clock: Clock): Interviewer {
  const elapsed = () => clock.elapsed();
  const pace = paced(ASK_EVERY_MS);
  let said = NONE;

  return {
    answers({ spec }, pods, sensor) {
      if (spec.runtime === "longshore" || sensor === undefined || pods.length === 0) return NONE;
      if (spec.runtime === "custom") return byAddress(pods, sensor, elapsed());
      const names = pods.filter(({ status }) => status?.phase === "Running").map(({ metadata }) => metadata.name);
      if (names.length > 0) {
        void pace(elapsed, async () => {
          try {
            said = await askWorkers(sensor.control, names, elapsed);
          } catch {
            // The broker's own failure is told by its sensor; here the answers grow old.
          }
        });
      }
      return said;
    },
  };
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
