import type { Run } from "./run.ts";
import { sparkline } from "./sparkline.ts";
import { meetsObjective, type Totals } from "./totals.ts";

export interface NamedRun {
  readonly name: string;
  readonly run: Run;
  readonly totals: Totals;
}

const HEAD = ["", "replica-seconds", "wait p50", "p95", "p99", "longest", "resizes", "back and forth", "busy when told to stop"] as const;
const SPARK = 72;

/** The comparison for people: a table of totals, a line of replicas over time for each, and whether the objective was met. */
export function describeRuns(runs: readonly NamedRun[], waitSeconds: number | undefined): string {
  const rows = runs.map(({ name, totals }) => [
    name,
    Math.round(totals.replicaSeconds).toLocaleString("en"),
    ...[totals.wait.p50, totals.wait.p95, totals.wait.p99, totals.wait.longest].map((wait) => `${wait.toFixed(1)} s`),
    String(totals.resizes),
    String(totals.reversals),
    `${totals.busyWhenTold}${totals.killed > 0 ? ` (${totals.killed} tasks killed)` : ""}`,
  ]);
  const widths = HEAD.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join("  ");
  const top = Math.max(1, ...runs.flatMap(({ run }) => run.moments.map(({ replicas }) => replicas)));
  const wide = widths[0] ?? 0;
  return [
    line(HEAD),
    ...rows.map(line),
    "",
    `replicas over time; a full bar is ${top}`,
    ...runs.map(
      ({ name, run }) =>
        `${name.padEnd(wide)}  ${sparkline(
          run.moments.map(({ replicas }) => replicas),
          SPARK,
          top,
        )}`,
    ),
    ...(waitSeconds === undefined
      ? []
      : ["", ...runs.map(({ name, totals }) => `${name.padEnd(wide)}  ${objective(totals, waitSeconds)}`)]),
  ].join("\n");
}

const objective = (totals: Totals, waitSeconds: number): string =>
  `${meetsObjective(totals) ? "meets" : "misses"} the objective: ${((1 - totals.late) * 100).toFixed(2)} % of the tasks started within ${waitSeconds} s`;
