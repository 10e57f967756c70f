import { quantile } from "../report.ts";

/** A time without a leader, ms since the epoch: from its end until the next one has made up for what was due meanwhile. */
export interface Gap {
  readonly signal: "SIGKILL" | "SIGTERM";
  readonly from: number;
  /** The first message of the next leader: when it arrived, and when it was due. */
  readonly first: { readonly arrived: number; readonly due: number };
  readonly to: number;
}

export interface Line {
  readonly due: number;
  readonly arrived: number;
}

/** The first message of each due time of each schedule, in the order of arrival: one that comes again, after a crash, has no effect. Pure. */
export function firstArrivals<T extends { readonly schedule: string; readonly due: number }>(lines: readonly T[]): readonly T[] {
  const seen = new Set<string>();
  return lines.filter(({ schedule, due }) => {
    const before = seen.size;
    return seen.add(`${schedule} ${due}`).size > before;
  });
}

/** How late messages were that were due while a leader lived, ms; those that were due in a gap are not among them. Pure. */
export function latenesses(lines: readonly Line[], gaps: readonly Gap[]): readonly number[] {
  // A message that was due right before a kill may belong to either.
  const within = (due: number) => gaps.some(({ from, to }) => due >= from - 250 && due <= to);
  return lines.filter(({ due }) => !within(due)).map(({ due, arrived }) => arrived - due);
}

/** Seconds without a leader: from the end of the last one, or from the first due time after it, to the first message of the next. Pure. */
export const withoutLeader = ({ from, first: { arrived, due } }: Gap): number => (arrived - Math.max(from, due)) / 1_000;

/** The longest time without a leader, the median, and the longest from the signal itself, s: nothing may be due for most of a second. Pure. */
export function failovers(gaps: readonly Gap[], signal: Gap["signal"]) {
  const ended = gaps.filter((gap) => gap.signal === signal);
  const seconds = ended.map(withoutLeader);
  const fromSignal = ended.map(({ from, first }) => (first.arrived - from) / 1_000);
  return { longest: Math.max(...seconds), median: quantile(seconds, 0.5), fromSignal: Math.max(...fromSignal) };
}
