import { quantile } from "../report.ts";

/** A time without a leader, ms since the epoch: from its end until the next one has made up for what was due meanwhile. */
export interface Gap {
  readonly signal: "SIGKILL" | "SIGTERM";
  readonly from: number;
  /** The first message of the next leader. */
  readonly firstAt: number;
  readonly to: number;
}

export interface Line {
  readonly due: number;
  readonly arrived: number;
}

/** How late messages were that were due while a leader lived, ms; those that were due in a gap are not among them. Pure. */
export function latenesses(lines: readonly Line[], gaps: readonly Gap[]): readonly number[] {
  // A message that was due right before a kill may belong to either.
  const within = (due: number) => gaps.some(({ from, to }) => due >= from - 250 && due <= to);
  return lines.filter(({ due }) => !within(due)).map(({ due, arrived }) => arrived - due);
}

/** Seconds from the end of a leader to the first message of the next: the longest, and the median. Pure. */
export function failovers(gaps: readonly Gap[], signal: Gap["signal"]): { readonly longest: number; readonly median: number } {
  const seconds = gaps.filter((gap) => gap.signal === signal).map(({ from, firstAt }) => (firstAt - from) / 1_000);
  return { longest: Math.max(...seconds), median: quantile(seconds, 0.5) };
}
