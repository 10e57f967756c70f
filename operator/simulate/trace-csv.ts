import type { TraceRow } from "./trace.ts";

/** Text that cannot be used, in words: which file, which line, which field, what was found and what is expected. */
export interface Problem {
  readonly problem: string;
}

const COLUMNS = ["seconds", "arrivals", "service_seconds"] as const;
/** A trace is kept in memory whole. */
const MOST_TASKS = 20_000_000;

/**
 * Rows of a trace file: `seconds,arrivals[,service_seconds]`. `seconds` from the start, ascending, fractions allowed; `arrivals` is how many
 * tasks arrive between this row and the next, evenly; `service_seconds`, how long each of them runs, may be empty. A first line with the
 * names of the columns, empty lines and lines that begin with # are skipped. Never throws.
 */
export function parseTrace(text: string, file: string): readonly TraceRow[] | Problem {
  const rows: TraceRow[] = [];
  let total = 0;
  for (const [index, line] of text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .entries()) {
    const fields = line.split(/[,;\t]/).map((field) => field.trim());
    if (line.trim() === "" || line.startsWith("#") || (rows.length === 0 && fields[0]?.toLowerCase() === COLUMNS[0])) continue;
    const at = `${file}:${index + 1}`;
    const row = parseRow(fields, rows.at(-1)?.seconds, at);
    if ("problem" in row) return row;
    rows.push(row);
    total += row.arrivals;
    if (total > MOST_TASKS) return { problem: `${at}: more than ${MOST_TASKS} arrivals up to here; cut the trace, or scale it down` };
  }
  return total === 0 ? { problem: `${file}: no arrivals; expected lines of ${COLUMNS.join(",")}, as in 0,12,0.5` } : rows;
}

function parseRow(fields: readonly string[], before: number | undefined, at: string): TraceRow | Problem {
  const wrong = (column: number, expected: string): Problem => ({
    problem: `${at}: ${COLUMNS[column]} is ${JSON.stringify(fields[column] ?? "")}; expected ${expected}`,
  });
  if (fields.length > COLUMNS.length) return { problem: `${at}: ${fields.length} fields; expected ${COLUMNS.join(",")}` };
  const [seconds, arrivals, service] = fields.map((field) => (field === "" ? Number.NaN : Number(field)));
  if (!isTime(seconds)) return wrong(0, "a number of seconds from the start, 0 or more");
  if (before !== undefined && seconds <= before) return wrong(0, `more than ${before}, the line before: rows are in the order of time`);
  if (arrivals === undefined || !Number.isInteger(arrivals) || arrivals < 0) return wrong(1, "a whole number of tasks, 0 or more");
  if (fields[2] !== undefined && fields[2] !== "" && !(isTime(service) && service > 0)) {
    return wrong(2, "seconds that one task runs, more than 0, or nothing");
  }
  return { seconds, arrivals, serviceSeconds: Number.isNaN(service) ? undefined : service };
}

const isTime = (value: number | undefined): value is number => value !== undefined && Number.isFinite(value) && value >= 0;
