import { expect, test } from "vitest";
import { planOf } from "../autoscale/decide/policy.ts";
import { workerPoolKind } from "../kinds/worker-pool/schema.ts";
import { drawRuns } from "./chart.ts";
import { runKeda, runLongshore, runOracle, type Setting } from "./compare.ts";
import { describeRuns } from "./text.ts";
import { meetsObjective, totalsOf } from "./totals.ts";
import { traceOf } from "./trace.ts";

const WAIT = 20;
const spec = workerPoolKind.spec.parse({
  brokerRef: { name: "b" },
  storeRef: { name: "s" },
  queues: ["q"],
  concurrency: 2,
  autoscaling: { maxReplicas: 50, waitSeconds: WAIT },
});
const plan = planOf({ apiVersion: "longshore.dev/v1alpha1", kind: "WorkerPool", metadata: { name: "p" }, spec }, 0);
/** Ten tasks per second for five minutes, with 300 more at once after two. */
const rows = Array.from({ length: 300 }, (_, second) => ({
  seconds: second,
  arrivals: second === 120 ? 310 : 10,
  serviceSeconds: undefined,
}));
const setting: Setting = {
  trace: traceOf(rows, 1),
  planAt: () => plan,
  startupSeconds: 3,
  graceSeconds: 30,
  replicas: 0,
  tailSeconds: 60,
};

test("a burst on a steady load: the objective is met, nobody busy is told to stop, and the same run twice is the same", () => {
  const run = runLongshore(setting);
  const totals = totalsOf(run, WAIT);
  expect(meetsObjective(totals)).toBe(true);
  expect(totals).toMatchObject({ busyWhenTold: 0, killed: 0 });
  expect(totalsOf(runLongshore(setting), WAIT)).toEqual(totals);
}, 60_000);

test("who knows the future needs fewer replicas than anybody; KEDA makes tasks wait for minutes' loops", () => {
  const [ours, oracle, keda] = [runLongshore(setting), runOracle(setting, WAIT), runKeda(setting, 20)];
  expect(oracle.replicaSeconds).toBeLessThan(ours.replicaSeconds);
  expect(meetsObjective(totalsOf(oracle, WAIT))).toBe(true);
  expect(totalsOf(keda, WAIT).wait.p95).toBeGreaterThan(totalsOf(ours, WAIT).wait.p95);
  const named = [
    { name: "Longshore", run: ours, totals: totalsOf(ours, WAIT) },
    { name: "KEDA <20>", run: keda, totals: totalsOf(keda, WAIT) },
  ];
  expect(describeRuns(named, WAIT)).toMatch(/Longshore +meets the objective/);
  expect(drawRuns(named, "a trace")).toContain("KEDA &lt;20>");
  expect(drawRuns(named, "a trace")).not.toMatch(/NaN|Infinity|undefined/);
}, 60_000);
