import type { PodSeen } from "../observe/observation.ts";

/**
 * Which pods to drain: those that are not ready first, then idle ones, then those with the least in flight; the names decide a tie.
 * Never a pod that is silent: what it runs is not known. Fewer than asked for when there are not enough.
 */
export function chooseVictims(pods: readonly PodSeen[], count: number): readonly PodSeen[] {
  return pods
    .filter(({ state, drainingSince }) => drainingSince === undefined && (state === "starting" || state === "working"))
    .sort((a, b) => rank(a) - rank(b) || (a.unacked ?? 0) - (b.unacked ?? 0) || (a.name < b.name ? -1 : 1))
    .slice(0, Math.max(0, count));
}

/**
 * Which drained pods to give back to the work when load returns: those with the most in flight first, for they are the farthest from
 * being gone, and the silent ones last.
 */
export function choosePardons(pods: readonly PodSeen[], count: number): readonly PodSeen[] {
  return pods
    .filter(({ state, drainingSince }) => drainingSince !== undefined && state !== "leaving")
    .sort((a, b) => (b.unacked ?? -1) - (a.unacked ?? -1) || Number(b.ready) - Number(a.ready) || (a.name < b.name ? -1 : 1))
    .slice(0, Math.max(0, count));
}

/** 0: not ready and nothing in flight. 1: idle. 2: busy. */
function rank({ ready, unacked }: PodSeen): number {
  if ((unacked ?? 0) > 0) return 2;
  return ready ? 1 : 0;
}
