/** Tasks in the order in which they arrive: when, and how long each takes; ms. */
export interface Trace {
  readonly arrivedAt: Float64Array;
  readonly serviceMs: Float64Array;
}

/** One row of a trace file: so many tasks, spread evenly from here until the next row. */
export interface TraceRow {
  readonly seconds: number;
  readonly arrivals: number;
  /** Undefined: the default of the simulation. */
  readonly serviceSeconds: number | undefined;
}

/** The tasks that the rows describe. The last row lasts as long as the one before it, or one second when it is the only one. */
export function traceOf(rows: readonly TraceRow[], defaultServiceSeconds: number): Trace {
  const total = rows.reduce((sum, { arrivals }) => sum + arrivals, 0);
  const trace = { arrivedAt: new Float64Array(total), serviceMs: new Float64Array(total) };
  let task = 0;
  for (const [index, row] of rows.entries()) {
    const lasts = lengthOf(rows, index);
    for (let nth = 0; nth < row.arrivals; nth++, task++) {
      trace.arrivedAt[task] = (row.seconds + ((nth + 0.5) / row.arrivals) * lasts) * 1_000;
      trace.serviceMs[task] = (row.serviceSeconds ?? defaultServiceSeconds) * 1_000;
    }
  }
  return trace;
}

function lengthOf(rows: readonly TraceRow[], index: number): number {
  const [before, row, after] = [rows[index - 1], rows[index], rows[index + 1]];
  if (row === undefined) return 0;
  if (after !== undefined) return after.seconds - row.seconds;
  return before === undefined ? 1 : row.seconds - before.seconds;
}

/** When the last task arrives, ms; 0 without tasks. */
export const lastArrival = ({ arrivedAt }: Trace): number => arrivedAt.at(-1) ?? 0;
