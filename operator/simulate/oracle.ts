import { tautString } from "./taut-string.ts";
import type { Trace } from "./trace.ts";
import { lastArrival } from "./trace.ts";

export interface OracleOptions {
  readonly trace: Trace;
  /** By when each task must have started, s after its arrival. */
  readonly waitSeconds: number;
  readonly concurrency: number;
  readonly startupMs: number;
  readonly minReplicas: number;
  readonly maxReplicas: number;
}

/** Replicas that serve in each step; they are started `startupMs` before. */
export interface OraclePlan {
  readonly stepMs: number;
  readonly serving: Int32Array;
}

/** Steps of one plan at most: the time grid is as fine as that allows, and never finer than a second. */
const MOST_STEPS = 30_000;

/**
 * The size of the pool by someone who knows every arrival and every service time beforehand. Two curves bound the work done by each
 * time: no task is worked on before it arrives or by more than one slot, and each must have started by its deadline. Between them
 * 1. the taut string gives the plan with the fewest changes; rounded up to whole replicas it is a plan that works;
 * 2. then one replica is taken away wherever that keeps every deadline and saves time, in blocks from long to short, and
 *    replicas are kept through gaps that are shorter than a start.
 * Its cost counts the start-up of each replica, as everyone's does. A heuristic, not a proof of the optimum: `workSeconds` is the
 * bound that nobody can pass. Never looks at chance: it knows.
 */
export function planOracle(options: OracleOptions): OraclePlan {
  const { trace, waitSeconds, concurrency, startupMs, minReplicas, maxReplicas } = options;
  const longest = trace.serviceMs.reduce((most, ms) => Math.max(most, ms), 0);
  const endMs = lastArrival(trace) + waitSeconds * 1_000 + longest;
  const stepMs = Math.max(1_000, Math.ceil(endMs / MOST_STEPS / 1_000) * 1_000);
  const steps = Math.ceil(endMs / stepMs) + 2;
  const upper = workBy(trace, steps, stepMs, 0);
  // A step is coarse: a task that is due within one must be under way at its beginning.
  const lower = workBy(trace, steps, stepMs, Math.max(0, waitSeconds * 1_000 - stepMs));
  const startup = startupMs / stepMs;
  const serving = Int32Array.from(tautString(lower, upper), (slope) =>
    Math.max(minReplicas, Math.min(maxReplicas, Math.ceil(slope / stepMs / concurrency - 1e-9))),
  );
  bridge(serving, Math.floor(startup));
  const meets = createCheck(serving, { lower, upper, perStep: concurrency * stepMs });
  for (let block = nextPower(steps); block >= 4; block = Math.floor(block / 2)) {
    for (let from = 0; from < serving.length; from += block) {
      trim(serving, from, Math.min(serving.length, from + block), { minReplicas, startup, meets });
    }
  }
  return { stepMs, serving };
}

/** Work of the whole trace in replica-seconds, with every slot always busy: no plan is below it. */
export const workSeconds = ({ serviceMs }: Trace, concurrency: number): number =>
  serviceMs.reduce((sum, ms) => sum + ms, 0) / 1_000 / concurrency;

/** Slot-milliseconds of work that can, or must, be done by each step when every task runs from `delayMs` after its arrival. */
function workBy({ arrivedAt, serviceMs }: Trace, steps: number, stepMs: number, delayMs: number): Float64Array {
  // Second differences: a task adds 1 to the slope from its start and takes it away at its end.
  const slope = new Float64Array(steps + 2);
  const addKink = (ms: number, sign: number): void => {
    const step = Math.min(steps, Math.floor(ms / stepMs));
    const part = ms / stepMs - step;
    // The kink lies inside the step: of the first step only the rest counts.
    slope[step + 1] = (slope[step + 1] ?? 0) + sign * (1 - part);
    slope[step + 2] = (slope[step + 2] ?? 0) + sign * part;
  };
  for (const [task, at] of arrivedAt.entries()) {
    addKink(at + delayMs, 1);
    addKink(at + delayMs + (serviceMs[task] ?? 0), -1);
  }
  const work = new Float64Array(steps);
  let rate = 0;
  for (let step = 1; step < steps; step++) {
    rate += slope[step] ?? 0;
    work[step] = (work[step - 1] ?? 0) + rate * stepMs;
  }
  return work;
}

interface Bounds {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly perStep: number;
}

/** Whether a plan that was changed within a block still does all work in time. It remembers the last one that did, up to the change. */
type Check = (from: number, to: number) => boolean;

function createCheck(serving: Int32Array, { lower, upper, perStep }: Bounds): Check {
  const done = new Float64Array(lower.length);
  const next = new Float64Array(lower.length);
  const check: Check = (from, to) => {
    let step = from + 1;
    let before = done[from] ?? 0;
    for (; step < done.length; step++) {
      const work = Math.min(upper[step] ?? 0, before + (serving[step - 1] ?? 0) * perStep);
      if (work < (lower[step] ?? 0) - 1e-6) return false;
      next[step] = work;
      before = work;
      // From here on it goes as it went before.
      if (step > to && work === done[step]) break;
    }
    done.set(next.subarray(from + 1, step), from + 1);
    return true;
  };
  check(0, lower.length);
  return check;
}

/** Keeps replicas through gaps that are no longer than a start takes. */
function bridge(serving: Int32Array, startup: number): void {
  for (let at = 0; at < serving.length; at++) {
    const level = serving[at] ?? 0;
    for (let ahead = 2; ahead <= startup + 1; ahead++) {
      const later = Math.min(level, serving[at + ahead] ?? 0);
      for (let gap = at + 1; gap < at + ahead; gap++) if ((serving[gap] ?? 0) < later) serving[gap] = later;
    }
  }
}

/** Takes one replica after the other from a block, as long as all deadlines hold and it saves more than it costs in starts. */
function trim(
  serving: Int32Array,
  from: number,
  to: number,
  { minReplicas, startup, meets }: { readonly minReplicas: number; readonly startup: number; readonly meets: Check },
): void {
  for (;;) {
    const before = serving.slice(from, to);
    const starts = startsAround(serving, from, to);
    let saved = 0;
    for (let at = from; at < to; at++) {
      if ((serving[at] ?? 0) <= minReplicas) continue;
      serving[at] = (serving[at] ?? 0) - 1;
      saved++;
    }
    const gain = saved - (startsAround(serving, from, to) - starts) * startup;
    if (saved > 0 && gain > 0 && meets(from, to)) continue;
    serving.set(before, from);
    return;
  }
}

function startsAround(serving: Int32Array, from: number, to: number): number {
  let starts = 0;
  for (let at = from; at <= Math.min(to, serving.length - 1); at++) {
    starts += Math.max(0, (serving[at] ?? 0) - (at === 0 ? 0 : (serving[at - 1] ?? 0)));
  }
  return starts;
}

const nextPower = (size: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, size)));
