import type { PoolPlan } from "../autoscale/decide/policy.ts";
import { createKeda, KEDA_DEFAULTS } from "./keda.ts";
import { createLongshore } from "./longshore.ts";
import { planOracle } from "./oracle.ts";
import { createOracle } from "./oracle-system.ts";
import { type Run, run } from "./run.ts";
import { meetsObjective, totalsOf } from "./totals.ts";
import { lastArrival, type Trace } from "./trace.ts";

/** What all three have in common: the same tasks, the same pods. */
export interface Setting {
  readonly trace: Trace;
  /** The pool's plan; its scheduled floor may change with time (ms from the start of the trace). */
  readonly planAt: (now: number) => PoolPlan;
  readonly startupSeconds: number;
  /** How long a removed pod may go on with its tasks. */
  readonly graceSeconds: number;
  /** Replicas at the beginning. */
  readonly replicas: number;
  /** How long the run goes on after the last arrival. */
  readonly tailSeconds: number;
  /** Reversals before this are not counted. */
  readonly settleSeconds?: number;
}

/** Points of a chart, about. */
const MOMENTS = 600;

const optionsOf = ({ trace, planAt, startupSeconds, graceSeconds, replicas, tailSeconds, settleSeconds = 0 }: Setting) => {
  const untilMs = lastArrival(trace) + tailSeconds * 1_000;
  return {
    trace,
    startupMs: startupSeconds * 1_000,
    graceMs: graceSeconds * 1_000,
    concurrency: planAt(0).concurrency,
    replicas,
    untilMs,
    settledMs: settleSeconds * 1_000,
    momentMs: Math.max(1_000, Math.ceil(untilMs / MOMENTS / 1_000) * 1_000),
  };
};

/** Longshore on this trace. */
export const runLongshore = (setting: Setting): Run => run(createLongshore(setting.planAt), optionsOf(setting));

/** KEDA with its HPA on the same trace; everything but `value` is its default, or the pool's bounds. */
export function runKeda(setting: Setting, value: number): Run {
  const { minReplicas, maxReplicas } = setting.planAt(0).policy;
  return run(createKeda({ ...KEDA_DEFAULTS, value, minReplicas, maxReplicas }), optionsOf(setting));
}

/** How much of the objective the plan leaves unused, tried in turn: slots and tasks are whole, the plan's curves are not. */
const MARGINS = [1, 0.9, 0.8, 0.65, 0.5, 0.35, 0.2] as const;

/** Who knows the future, on the same trace: the plan with the least margin that meets the objective when it is carried out. */
export function runOracle(setting: Setting, waitSeconds: number): Run {
  const { trace, planAt } = setting;
  const { minReplicas, maxReplicas } = planAt(0).policy;
  const options = optionsOf(setting);
  const tried = (share: number): Run => {
    const plan = planOracle({ ...options, trace, waitSeconds: waitSeconds * share, minReplicas, maxReplicas });
    return run(createOracle(plan, options.startupMs), options);
  };
  let last = tried(MARGINS[0]);
  for (const share of MARGINS.slice(1)) {
    if (meetsObjective(totalsOf(last, waitSeconds))) break;
    last = tried(share);
  }
  return last;
}
