import type { Clock } from "../../runtime/clock.ts";
import type { PodSeen } from "../observe/observation.ts";
import type { PodReadings } from "../sense/reading.ts";

/** A worker that begins, or was called back, consumes within this time, ms. */
const CONSUMES_WITHIN_MS = 5_000;

/** Says which workers are to be called back to the work although nothing on the pod says that they were cordoned; each at most every 5 s. */
export type Strays = (
  seen: readonly Pick<PodSeen, "name" | "state" | "drainingSince">[],
  pods: readonly PodReadings[],
  queues: readonly string[],
) => readonly string[];

/**
 * A cordon and the word to come back may cross on the way to a slow worker: the mark is gone from the pod and the worker consumes nothing. So
 * what the pod says itself decides: not drained, and yet for 5 s it has not consumed every queue of the pool.
 */
export function createStrays(clock: Pick<Clock, "elapsed">): Strays {
  let since = new Map<string, number>();
  return (seen, pods, queues) => {
    const now = clock.elapsed();
    const atWork = new Set(
      seen.flatMap(({ name, state, drainingSince }) => (state === "working" && drainingSince === undefined ? [name] : [])),
    );
    const idle = pods.flatMap(({ name, work }) => {
      const consuming = work?.value.consuming;
      return atWork.has(name) && consuming !== undefined && queues.some((queue) => !consuming.includes(queue)) ? [name] : [];
    });
    const strays = idle.filter((name) => now - (since.get(name) ?? now) >= CONSUMES_WITHIN_MS);
    since = new Map(idle.map((name) => [name, strays.includes(name) ? now : (since.get(name) ?? now)]));
    return strays;
  };
}
