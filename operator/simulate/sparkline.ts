const BARS = "▁▂▃▄▅▆▇█";

/** One character per bucket of time, which shows its highest value; an empty series gives an empty line. @param top the value of a full bar */
export function sparkline(values: readonly number[], width: number, top = Math.max(1, ...values)): string {
  const buckets = Math.min(width, values.length);
  return Array.from({ length: buckets }, (_, bucket) => {
    const from = Math.floor((bucket * values.length) / buckets);
    const to = Math.max(from + 1, Math.floor(((bucket + 1) * values.length) / buckets));
    const value = Math.max(...values.slice(from, to));
    return BARS[Math.min(BARS.length - 1, Math.round((value / top) * (BARS.length - 1)))] ?? " ";
  }).join("");
}
