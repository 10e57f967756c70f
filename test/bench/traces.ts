import { planOf } from "../../operator/autoscale/decide/policy.ts";
import { workerPoolKind } from "../../operator/kinds/worker-pool/schema.ts";
import { runKeda, runLongshore, runOracle, type Setting } from "../../operator/simulate/compare.ts";
import { workSeconds } from "../../operator/simulate/oracle.ts";
import { meetsObjective, type Totals, totalsOf } from "../../operator/simulate/totals.ts";
import { type BenchTrace, SETTLE_SECONDS, stationary, TRACES } from "./arrivals.ts";
import { seeded } from "./drain/load.ts";
import type { Report } from "./report.ts";

const WAIT_SECONDS = 30;
/** A pool as a user writes it: the objective, and the defaults. */
const POOL = {
  apiVersion: "longshore.dev/v1alpha1",
  kind: "WorkerPool",
  metadata: { name: "bench" },
  spec: workerPoolKind.spec.parse({
    brokerRef: { name: "rabbitmq" },
    storeRef: { name: "redis" },
    queues: ["bench"],
    concurrency: 2,
    autoscaling: { maxReplicas: 200, waitSeconds: WAIT_SECONDS },
  }),
};
const PLAN = planOf(POOL, 0);
/** How often the noise of the stationary runs is drawn anew, s. */
const NOISE_EVERY = [1, 10] as const;

/** KEDA's thresholds that are tried: a grid, then halving between the best and the next one. */
const GRID = Array.from({ length: 18 }, (_, nth) => 0.25 * 1_200 ** (nth / 17));
const HALVINGS = 5;

interface Tuned {
  readonly value: number;
  readonly totals: Totals;
}

/** Where KEDA cannot wait as little as we do, what is within this share of its least p95 counts as that. */
const CLOSE = 1.1;

/**
 * KEDA at the threshold with which it is cheapest and its p95 wait no worse than ours; where no threshold gets there, at the cheapest of
 * those with which it waits about as little as it can.
 */
function tuneKeda(setting: Setting, p95: number): Tuned {
  const tried = (value: number): Tuned => ({ value, totals: totalsOf(runKeda(setting, value), WAIT_SECONDS) });
  const grid = GRID.map(tried);
  const least = Math.min(...grid.map(({ totals }) => totals.wait.p95));
  const asked = p95 >= least ? p95 : least * CLOSE;
  const isGood = ({ totals }: Tuned): boolean => totals.wait.p95 <= asked;
  const cheapest = (some: readonly Tuned[]): Tuned | undefined =>
    some.filter(isGood).sort((a, b) => a.totals.replicaSeconds - b.totals.replicaSeconds)[0];
  let best = cheapest(grid);
  if (best === undefined) throw new Error("no threshold of the grid has the least wait of the grid");
  let worse = grid.find(({ value }) => value > (best?.value ?? 0))?.value ?? best.value;
  for (let nth = 0; nth < HALVINGS; nth++) {
    const between = tried((best.value + worse) / 2);
    if (!isGood(between)) worse = between.value;
    best = cheapest([best, between]) ?? best;
    if (isGood(between) && best !== between) worse = between.value;
  }
  return best;
}

const settingOf = ({ make, startupSeconds }: BenchTrace, seed: number): Setting => ({
  trace: make(seeded(seed)),
  planAt: () => PLAN,
  startupSeconds,
  graceSeconds: 30,
  replicas: 0,
  tailSeconds: 60,
});

function measure(trace: BenchTrace, seed: number) {
  const setting = settingOf(trace, seed);
  const ours = totalsOf(runLongshore(setting), WAIT_SECONDS);
  const oracle = totalsOf(runOracle(setting, WAIT_SECONDS), WAIT_SECONDS);
  const keda = tuneKeda(setting, ours.wait.p95);
  process.stderr.write(
    `${trace.name.padEnd(22)} vs oracle ${(ours.replicaSeconds / oracle.replicaSeconds).toFixed(2)}  ` +
      `vs KEDA ${(ours.replicaSeconds / keda.totals.replicaSeconds).toFixed(2)}  p95 ${ours.wait.p95.toFixed(1)} s  ` +
      `late ${(ours.late * 100).toFixed(2)} %\n`,
  );
  return { name: trace.name, ours, oracle, keda, work: workSeconds(setting.trace, PLAN.concurrency) };
}

/** Reversals of the wanted size in 30 minutes of a load that stays, with noise; from the sixth minute on. */
const reversalsOf = (every: number, seed: number): number =>
  runLongshore({
    trace: stationary(every)(seeded(seed)),
    planAt: () => PLAN,
    startupSeconds: 3,
    graceSeconds: 30,
    replicas: 0,
    tailSeconds: 0,
    settleSeconds: SETTLE_SECONDS,
  }).reversals;

const round = (value: number): number => Number(value.toFixed(2));

/**
 * Twelve arrival traces through the very decision of the operator, in a model of queue and pods: does it meet the wait objective, and what does
 * it cost beside someone who knows the future, and beside KEDA with its HPA tuned to the same p95 wait. `trials`: seeds of the stationary runs.
 */
export async function traces({ trials = 5 }: { trials: number | undefined }): Promise<Report> {
  const results = TRACES.map((trace, index) => measure(trace, index + 1));
  const vsOracle = results.map(({ ours, oracle }) => ours.replicaSeconds / oracle.replicaSeconds);
  const vsKeda = results.map(({ ours, keda }) => ours.replicaSeconds / keda.totals.replicaSeconds);
  const sum = (of: (result: (typeof results)[number]) => Totals): number =>
    results.reduce((all, result) => all + of(result).replicaSeconds, 0);
  const reversals = NOISE_EVERY.flatMap((every) => Array.from({ length: trials }, (_, seed) => reversalsOf(every, seed + 1)));
  return Promise.resolve({
    bench: "traces",
    figures: {
      traces: results.length,
      objective_met: results.filter(({ ours }) => meetsObjective(ours)).length,
      replica_seconds_vs_oracle: round(sum(({ ours }) => ours) / sum(({ oracle }) => oracle)),
      replica_seconds_vs_oracle_worst: round(Math.max(...vsOracle)),
      replica_seconds_vs_keda: round(sum(({ ours }) => ours) / sum(({ keda }) => keda.totals)),
      replica_seconds_vs_keda_worst: round(Math.max(...vsKeda)),
      reversals: reversals.reduce((all, one) => all + one, 0),
    },
    peers: {
      "KEDA 2.21 + HPA, a model of their sources, by trace: value tuned so that its p95 wait is no worse than ours": Object.fromEntries(
        results.map(({ name, keda: { value, totals } }) => [
          name,
          {
            value: round(value),
            p95_s: round(totals.wait.p95),
            p99_s: round(totals.wait.p99),
            replica_s: Math.round(totals.replicaSeconds),
          },
        ]),
      ),
      "oracle, who knows every arrival and service time": Object.fromEntries(
        results.map(({ name, oracle }) => [name, { p99_s: round(oracle.wait.p99), replica_s: Math.round(oracle.replicaSeconds) }]),
      ),
    },
    settings: {
      waitSeconds: WAIT_SECONDS,
      concurrency: PLAN.concurrency,
      replica_seconds: "of all traces together; _worst: of the trace where it is highest",
      objective: "met: at least 99 % of all tasks of the trace started within waitSeconds, from no replica at all",
      stationary_runs: reversals.length,
      ours: Object.fromEntries(
        results.map(({ name, ours, work }) => [
          name,
          {
            p50_s: round(ours.wait.p50),
            p95_s: round(ours.wait.p95),
            p99_s: round(ours.wait.p99),
            late_percent: round(ours.late * 100),
            replica_s: Math.round(ours.replicaSeconds),
            work_replica_s: Math.round(work),
            resizes: ours.resizes,
            reversals: ours.reversals,
          },
        ]),
      ),
    },
    series: { vs_oracle: vsOracle, vs_keda: vsKeda },
  });
}
