import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { activeFloor } from "../autoscale/decide/floors.ts";
import { planOf } from "../autoscale/decide/policy.ts";
import type { WorkerPool } from "../kinds/worker-pool/schema.ts";
import { drawRuns } from "../simulate/chart.ts";
import { runKeda, runLongshore, runOracle, type Setting } from "../simulate/compare.ts";
import { describeRuns, type NamedRun } from "../simulate/text.ts";
import { totalsOf } from "../simulate/totals.ts";
import { lastArrival, traceOf } from "../simulate/trace.ts";
import { parseTrace } from "../simulate/trace-csv.ts";
import { numberOption, timeOption } from "./options.ts";
import { readPool } from "./pool-file.ts";
import { UsageError } from "./yaml-source.ts";

export const SIMULATE_USAGE = `npm run longshore -- simulate --pool pool.yaml --trace arrivals.csv [options]

Replays the trace through the operator's own decision, beside KEDA with its HPA and someone who knows the future.
The trace: lines of seconds,arrivals[,service_seconds]; so many tasks arrive between a line and the next.

  --name NAME             which WorkerPool of the file
  --service-seconds 1     how long a task runs where the trace does not say
  --startup-seconds 3     from a pod's creation until it consumes
  --grace-seconds 30      how long a pod that is told to stop may go on
  --replicas 0            at the beginning (default: minReplicas)
  --keda-value N          tasks per replica of KEDA's trigger (default: backlogPerReplica; else what a replica does within waitSeconds)
  --start TIME            when the trace begins, RFC 3339, for scheduled floors (default: 2026-01-05T00:00:00Z, a Monday)
  --svg FILE              where the chart goes (default: simulation.svg; "" for none)
  --decisions             every change of Longshore's size with its reason
  --json                  the totals as JSON
`;

/** How long a run goes on after the last arrival, s. */
const TAIL_SECONDS = 60;

/** The command `simulate`. `folder`: what relative paths are relative to. Throws `UsageError` for what the user can correct. */
export async function simulate(args: readonly string[], folder: string, print: (text: string) => void): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      pool: { type: "string" },
      trace: { type: "string" },
      name: { type: "string" },
      "service-seconds": { type: "string", default: "1" },
      "startup-seconds": { type: "string", default: "3" },
      "grace-seconds": { type: "string", default: "30" },
      replicas: { type: "string" },
      "keda-value": { type: "string" },
      start: { type: "string", default: "2026-01-05T00:00:00Z" },
      svg: { type: "string", default: "simulation.svg" },
      decisions: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  });
  const { pool: poolFile, trace: traceFile } = values;
  if (poolFile === undefined || traceFile === undefined) throw new UsageError(`simulate needs --pool and --trace\n\n${SIMULATE_USAGE}`);
  const pool = readPool(await readText(folder, poolFile, "--pool"), poolFile, values.name);
  const rows = parseTrace(await readText(folder, traceFile, "--trace"), traceFile);
  if ("problem" in rows) throw new UsageError(rows.problem);
  const serviceSeconds = numberOption("--service-seconds", values["service-seconds"], 0.001);
  const start = timeOption("--start", values.start);
  const plans = plansOf(pool, start);
  const setting: Setting = {
    trace: traceOf(rows, serviceSeconds),
    planAt: plans,
    startupSeconds: numberOption("--startup-seconds", values["startup-seconds"], 0),
    graceSeconds: numberOption("--grace-seconds", values["grace-seconds"], 0),
    replicas: values.replicas === undefined ? plans(0).policy.minReplicas : numberOption("--replicas", values.replicas, 0),
    tailSeconds: TAIL_SECONDS,
  };
  const value = values["keda-value"] === undefined ? kedaValueOf(pool, setting) : numberOption("--keda-value", values["keda-value"], 0.001);
  const { runs, waitSeconds } = compare(setting, pool.spec.autoscaling?.waitSeconds, value);
  if (values.svg !== "") await writeFile(resolve(folder, values.svg), drawRuns(runs, `${traceFile}: WorkerPool ${pool.metadata.name}`));
  print(
    values.json
      ? `${JSON.stringify(Object.fromEntries(runs.map(({ name, totals }) => [name, totals])))}\n`
      : `${heading(setting, pool, traceFile)}\n\n${describeRuns(runs, waitSeconds)}\n${values.svg === "" ? "" : `\nchart: ${values.svg}\n`}${
          values.decisions ? decisionsOf(runs) : ""
        }`,
  );
}

const decisionsOf = (runs: readonly NamedRun[]): string =>
  runs
    .flatMap(({ run }) => run.changes)
    .map(({ at, from, to, why }) => `\n${at.toFixed(0).padStart(7)} s  ${from} -> ${to}  ${why}`)
    .join("")
    .concat("\n");

/** Longshore, KEDA and the oracle. Without an objective the oracle is held to Longshore's own 99 % wait, a second at least. */
function compare(setting: Setting, waitSeconds: number | undefined, value: number) {
  const named = (name: string, run: NamedRun["run"]): NamedRun => ({ name, run, totals: totalsOf(run, waitSeconds) });
  const longshore = named("Longshore", runLongshore(setting));
  const keda = named(`KEDA + HPA, value ${Number(value.toPrecision(3))}`, runKeda(setting, value));
  const oracle = named("oracle", runOracle(setting, waitSeconds ?? Math.max(1, longshore.totals.wait.p99)));
  return { runs: [longshore, keda, oracle], waitSeconds };
}

/** The pool's plan at each time. Mode Advise is simulated as if it were Active: that is what the owner wants to know. */
function plansOf(pool: WorkerPool, start: number): Setting["planAt"] {
  const floors = pool.spec.autoscaling?.floors ?? [];
  const planFor = (floor: number) => {
    const plan = planOf(pool, floor);
    return { ...plan, policy: { ...plan.policy, advise: false } };
  };
  let known = { minute: Number.NaN, plan: planFor(0) };
  return (now) => {
    const minute = Math.floor((start + now) / 60_000);
    if (known.minute !== minute) known = { minute, plan: planFor(activeFloor(floors, start + now)) };
    return known.plan;
  };
}

/** The same threshold where the pool has one; else what AWS calls the acceptable backlog per instance: the objective over the service time. */
function kedaValueOf({ spec }: WorkerPool, { trace }: Setting): number {
  const { backlogPerReplica, waitSeconds = 0 } = spec.autoscaling ?? {};
  if (backlogPerReplica !== undefined) return backlogPerReplica;
  const mean = trace.serviceMs.reduce((sum, ms) => sum + ms, 0) / 1_000 / Math.max(1, trace.serviceMs.length);
  return Math.max(1, (waitSeconds * spec.concurrency) / mean);
}

function heading({ trace, startupSeconds }: Setting, { metadata, spec }: WorkerPool, file: string): string {
  const { waitSeconds, backlogPerReplica } = spec.autoscaling ?? {};
  const targets = [
    ...(waitSeconds === undefined ? [] : [`to wait at most ${waitSeconds} s`]),
    ...(backlogPerReplica === undefined ? [] : [`${backlogPerReplica} tasks per replica`]),
  ];
  const minutes = (lastArrival(trace) / 60_000).toFixed(1);
  return (
    `${file}: ${trace.arrivedAt.length.toLocaleString("en")} tasks in ${minutes} min; WorkerPool ${metadata.name}: ` +
    `${spec.concurrency} ${spec.concurrency === 1 ? "slot" : "slots"} per replica, ${startupSeconds} s to start, ${targets.join(", ")}`
  );
}

async function readText(folder: string, file: string, option: string): Promise<string> {
  try {
    return await readFile(resolve(folder, file), "utf8");
  } catch (error) {
    throw new UsageError(`${option} ${file}: cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
