/** What the demo saw at one moment: the columns of `kubectl get workerpool`, and its own count of finished tasks. */
export interface Sample {
  /** Seconds since the first task was sent; negative before. */
  readonly at: number;
  readonly backlog: number;
  readonly desired: number;
  readonly ready: number;
  readonly draining: number;
  readonly busy: number;
  readonly done: number;
}

const BARS = "▁▂▃▄▅▆▇█";

/** One character per bucket of time; an empty series gives an empty line. */
export function sparkline(values: readonly number[], width: number): string {
  const top = Math.max(1, ...values);
  const buckets = Math.min(width, values.length);
  return Array.from({ length: buckets }, (_, bucket) => {
    const from = Math.floor((bucket * values.length) / buckets);
    const to = Math.max(from + 1, Math.floor(((bucket + 1) * values.length) / buckets));
    const value = Math.max(...values.slice(from, to));
    return BARS[Math.round((value / top) * (BARS.length - 1))] ?? " ";
  }).join("");
}
