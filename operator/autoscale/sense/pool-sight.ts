import type { Pod } from "../../kinds/worker-pool/pods.ts";
import type { PoolPlan } from "../decide/policy.ts";
import { createPerception, type Sight } from "../observe/perception.ts";
import type { BrokerSensor } from "./broker-sensor.ts";
import { type Beats, NO_BEATS } from "./heartbeats.ts";
import { countersOf, podReadings } from "./pod-readings.ts";
import type { PodWork, Reading, WorkCounters } from "./reading.ts";

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
  /** What they have done. */
  readonly counters: ReadonlyMap<string, WorkCounters>;
  /** Monotonic, ms. */
  readonly now: number;
}

/** One pool's eyes: takes the readings of all sensors together and judges them. */
export function createSight(): (sources: Sources) => Sight {
  const perceive = createPerception();
  return ({ plan, broker, beats = NO_BEATS, problems, answers, counters, pods, now }) =>
    perceive({
      now,
      queues: [
        ...plan.queues.map(({ name, weight }) => ({ name, weight, live: broker?.live(name), totals: broker?.totals(name) })),
        ...(plan.unresolved ?? []).map((pattern) => ({ name: `matching ${pattern}`, weight: 1 })),
      ],
      pods: podReadings(pods, beats, answers),
      alarms: broker?.alarms(now) ?? [],
      failures: [...problems, ...(broker?.failures ?? [])],
      counters: counters.size === 0 ? countersOf(beats) : counters,
    });
}
