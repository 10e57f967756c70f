import type { Clock } from "../../runtime/clock.ts";

/** The ReplicaSet controller has this long to take the pods for which the scale was lowered, ms: on a crowded machine it needs seconds. */
const TAKES_MS = 15_000;

/** Remembers the drained pods for which the scale was lowered. */
export interface HandedOver {
  give(pods: readonly string[]): void;
  /** Of these pods, those that may go at any moment, whatever was asked for since. */
  among(living: ReadonlySet<string>): ReadonlySet<string>;
}

/**
 * Once the scale was lowered for a pod, nobody can say when the ReplicaSet controller takes it, or whether it saw a larger scale first: to
 * give it back to the work could kill what it takes. Only a pod that is still there after 15 s is the pool's again.
 */
export function createHandedOver(clock: Pick<Clock, "elapsed">): HandedOver {
  const givenAt = new Map<string, number>();
  return {
    give(pods) {
      for (const pod of pods) givenAt.set(pod, clock.elapsed());
    },
    among(living) {
      for (const [pod, at] of givenAt) if (!living.has(pod) || clock.elapsed() - at >= TAKES_MS) givenAt.delete(pod);
      return new Set(givenAt.keys());
    },
  };
}
