import type { PodSeen } from "../observe/observation.ts";

/** The ReplicaSet controller has this long to take the pods that a smaller scale leaves over, ms: on a crowded machine it needs many seconds. */
const TAKES_MS = 60_000;

/**
 * The pods that a smaller scale is taking at this moment: more pods live than are asked for, and these are the first to go, though nobody
 * has told them yet. To give one of them back to the work would kill what it takes. Empty once the scale has stood for long. Pure, and
 * true for an operator that has just begun as well: everything it needs stands on the pods.
 * @param cheapest names of the pods with the lowest deletion cost
 * @param unchangedForMs since how long the scale has been as it is, as far as this process knows
 */
export function goingPods(
  pods: readonly PodSeen[],
  cheapest: ReadonlySet<string>,
  current: number,
  unchangedForMs: number,
): ReadonlySet<string> {
  const living = pods.filter(({ state }) => state !== "leaving");
  if (living.length <= current || unchangedForMs >= TAKES_MS) return new Set();
  return new Set(living.flatMap(({ name, drainingSince }) => (drainingSince !== undefined && cheapest.has(name) ? [name] : [])));
}
