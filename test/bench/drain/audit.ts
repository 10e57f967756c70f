import type { Entry } from "./ledger.ts";

export interface Audit {
  /** Tasks that ended. */
  readonly ended: number;
  /** Tasks that began and did not end there, or came with the broker's redelivered flag. */
  readonly killedOrRedelivered: readonly string[];
  /** Of these, the ones that were killed or began twice: the others came back from a pod in which they never ran. */
  readonly killedOrTwice: readonly string[];
  /** Pods that had a busy slot when they were told to stop, or began a task after that. */
  readonly busyWhenTold: readonly string[];
  /** Pods that went without being told. */
  readonly untold: readonly string[];
  readonly told: number;
}

/** What the ledger proves. Pure. A task that runs still, in a pod that was not told to stop, is neither ended nor killed. */
export function audit(entries: readonly Entry[]): Audit {
  const ended = new Set<string>();
  const bad = new Set<string>();
  const begun = new Set<string>();
  const twice = new Set<string>();
  const runs = new Map<string, Set<string>>();
  const told = new Set<string>();
  const busy = new Set<string>();
  const untold = new Set<string>();
  const of = (pod: string): Set<string> => {
    const tasks = runs.get(pod) ?? new Set();
    runs.set(pod, tasks);
    return tasks;
  };
  for (const entry of entries) {
    const { event, pod } = entry;
    if (event === "start") {
      of(pod).add(entry.task);
      if (begun.has(entry.task)) twice.add(entry.task);
      begun.add(entry.task);
      if (entry.redelivered) bad.add(entry.task);
      if (told.has(pod)) busy.add(pod);
    } else if (event === "end") {
      of(pod).delete(entry.task);
      ended.add(entry.task);
    } else if (event === "told") {
      told.add(pod);
      if ((entry.busy ?? 0) > 0 || of(pod).size > 0) busy.add(pod);
    } else if (event === "gone") {
      for (const task of of(pod)) {
        bad.add(task);
        twice.add(task);
      }
      of(pod).clear();
      if (!told.has(pod)) untold.add(pod);
    }
  }
  return {
    ended: ended.size,
    killedOrRedelivered: [...bad],
    killedOrTwice: [...twice],
    busyWhenTold: [...busy],
    untold: [...untold],
    told: told.size,
  };
}
