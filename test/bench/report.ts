/** What every bench gives back; `--json` prints it as it is. */
export interface Report {
  readonly bench: string;
  /** Plain names and numbers; the unit is the end of the name: `_ms`, `_mb`, `_s`, `_percent`. */
  readonly figures: Readonly<Record<string, number>>;
  /** The same figures of others, with where they come from. */
  readonly peers: Readonly<Record<string, unknown>>;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Raw trials for the plot, by series. */
  readonly series?: Readonly<Record<string, readonly number[]>>;
}

/** The value below which `share` of the sorted values lie (nearest rank). NaN for none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** A histogram in text, ten rows at most. */
function histogram(values: readonly number[]): string {
  const low = Math.min(...values);
  const width = Math.max((Math.max(...values) - low) / 10, 1e-9);
  const counts = Array.from(
    { length: 10 },
    (_, row) => values.filter((value) => Math.min(9, Math.floor((value - low) / width)) === row).length,
  );
  const most = Math.max(...counts);
  return counts
    .map((count, row) => `  ${(low + row * width).toFixed(1).padStart(10)}  ${"█".repeat(Math.round((40 * count) / most))} ${count || ""}`)
    .join("\n");
}

/** The report for people: a table, then a plot for each series. */
export function printable(report: Report): string {
  const wide = Math.max(...Object.keys(report.figures).map((name) => name.length));
  const rows = Object.entries(report.figures).map(
    ([name, value]) => `  ${name.padEnd(wide)}  ${Number.isInteger(value) ? value : value.toFixed(2)}`,
  );
  const plots = Object.entries(report.series ?? {}).map(([name, values]) => `\n${name} (${values.length} trials)\n${histogram(values)}`);
  return [
    report.bench,
    ...rows,
    ...plots,
    `\npeers     ${JSON.stringify(report.peers)}`,
    `settings  ${JSON.stringify(report.settings)}`,
    "",
  ].join("\n");
}
