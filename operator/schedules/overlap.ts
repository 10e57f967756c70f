import type { RunState } from "./ports.ts";

export type ConcurrencyPolicy = "Allow" | "Forbid" | "Replace";

/** What is known of the run before. */
export interface Before {
  readonly run: RunState;
  /** When it was published, ms; absent: there was none, or nobody knows. */
  readonly at?: number;
  readonly now: number;
  /** A run of which nothing is known for so long counts as finished. */
  readonly maxRunMs: number;
}

const ifUnfinished = { Allow: "publish", Forbid: "leave-out", Replace: "replace" } as const;

/** What to do with a due time, by the policy and the run before. A run that waits in a queue is unfinished, too. Pure. */
export function decideOverlap(policy: ConcurrencyPolicy, before: Before): "publish" | "leave-out" | "replace" {
  return finished(before) ? "publish" : ifUnfinished[policy];
}

const finished = ({ run, at, now, maxRunMs }: Before): boolean => (run === undefined ? at === undefined || now - at >= maxRunMs : run.over);
