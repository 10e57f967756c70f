import type { Run } from "./run.ts";

/** One run in numbers. */
export interface Totals {
  readonly replicaSeconds: number;
  /** Waits from arrival to start, s. */
  readonly wait: { readonly p50: number; readonly p95: number; readonly p99: number; readonly longest: number };
  /** Share of the tasks that waited longer than the objective; 0 without one. */
  readonly late: number;
  readonly resizes: number;
  /** Changes of direction. */
  readonly reversals: number;
  /** Replicas that ran a task when they were told to stop. */
  readonly busyWhenTold: number;
  readonly killed: number;
}

export function totalsOf({ waits, replicaSeconds, resizes, reversals, told }: Run, waitSeconds: number | undefined): Totals {
  const sorted = waits.toSorted();
  const late = waitSeconds === undefined ? 0 : waits.reduce((count, wait) => count + (wait > waitSeconds ? 1 : 0), 0);
  return {
    replicaSeconds,
    wait: { p50: quantileOf(sorted, 0.5), p95: quantileOf(sorted, 0.95), p99: quantileOf(sorted, 0.99), longest: quantileOf(sorted, 1) },
    late: waits.length === 0 ? 0 : late / waits.length,
    resizes,
    reversals,
    busyWhenTold: told.busy,
    killed: told.killed,
  };
}

/** The share of tasks that must start within the objective for it to be met. */
const OBJECTIVE_SHARE = 0.99;

/** The objective is met when at least 99 % of all tasks of the run started within it; the first ones, from no replica at all, included. */
export const meetsObjective = ({ late }: Totals): boolean => late <= 1 - OBJECTIVE_SHARE + 1e-12;

/** Nearest rank; 0 of nothing. */
const quantileOf = (sorted: Float64Array, share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
