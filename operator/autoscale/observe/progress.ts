import type { WorkCounters } from "../sense/reading.ts";

/** What a pool's workers have got done since this process began to look. The sums never fall. */
export interface Progress {
  readonly finished: number;
  readonly redelivered: number;
}

/** Memory of the progress; a plain value, replaced on each sample. */
export interface ProgressMemory {
  readonly sums: Progress;
  readonly counters: ReadonlyMap<string, WorkCounters> | undefined;
}

export const NO_PROGRESS: ProgressMemory = { sums: { finished: 0, redelivered: 0 }, counters: undefined };

/** Takes in the workers' counters. What they had done before the first look does not count; a process that began anew counts from zero. */
export function addProgress({ sums, counters: before }: ProgressMemory, counters: ReadonlyMap<string, WorkCounters>): ProgressMemory {
  if (before === undefined) return { sums, counters };
  let { finished, redelivered } = sums;
  for (const [pod, now] of counters) {
    const old = before.get(pod);
    const base = old?.boot === now.boot ? old : undefined;
    finished += Math.max(0, now.finished - (base?.finished ?? 0));
    redelivered += Math.max(0, (now.redelivered ?? 0) - (base?.redelivered ?? 0));
  }
  return { sums: { finished, redelivered }, counters };
}
