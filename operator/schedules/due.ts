import { latestOf, nextOf } from "../runtime/calendar.ts";

/** When something is due, before jitter. */
export type Rhythm =
  | { readonly type: "cron"; readonly cron: string; readonly timeZone: string }
  /** `anchor`: the first of them, ms. */
  | { readonly type: "every"; readonly periodMs: number; readonly anchor: number }
  /** Ascending, ms. */
  | { readonly type: "at"; readonly times: readonly number[] };

export interface Timing {
  /** Spreads the jitter of schedules with the same times. */
  readonly uid: string;
  readonly rhythm: Rhythm;
  readonly from?: number;
  readonly to?: number;
  readonly jitterMs: number;
}

/**
 * The first due time strictly after a moment, both in ms since the epoch; undefined when there is none. The same for every operator.
 * Throws what the library of crons throws on one that it cannot read.
 */
export function nextDue(timing: Timing, after: number): number | undefined {
  const { from, to } = timing;
  const start = from === undefined ? after : Math.max(after, from - 1);
  const next = nextOfRhythm(timing, start);
  return next === undefined || (to !== undefined && next > to) ? undefined : next;
}

/** The last answer, which holds for every moment up to it: a cron costs a third of a millisecond, and is asked for the same time again and again. */
const answers = new WeakMap<Timing, { readonly after: number; readonly next: number | undefined }>();

function nextOfRhythm(timing: Timing, after: number): number | undefined {
  const { rhythm } = timing;
  const known = answers.get(timing);
  if (known !== undefined && known.after <= after && (known.next === undefined || after < known.next)) return known.next;
  const next = NEXT[rhythm.type](rhythm as never, after);
  if (rhythm.type === "cron") answers.set(timing, { after, next });
  return next;
}

/** The latest due time at or before a moment; undefined when there is none. */
export function latestDue({ rhythm, from, to }: Timing, until: number): number | undefined {
  const end = to === undefined ? until : Math.min(until, to);
  const latest = LATEST[rhythm.type](rhythm as never, end);
  return latest === undefined || (from !== undefined && latest < from) ? undefined : latest;
}

/** When a due time is published: after its jitter, which is its own for ever and ends before the next due time, so that the order stays. */
export function publishAt(timing: Timing, due: number): number {
  if (timing.jitterMs === 0) return due;
  const next = nextDue(timing, due);
  const room = Math.min(timing.jitterMs, next === undefined ? timing.jitterMs : next - due);
  return due + Math.floor((hash(`${timing.uid}/${due}`) / 2 ** 32) * room);
}

/** How many due times lie after `after` and not after `until`, at most `limit`. */
export function countDue(timing: Timing, after: number, until: number, limit: number): number {
  let count = 0;
  for (let due = nextDue(timing, after); due !== undefined && due <= until && count < limit; due = nextDue(timing, due)) count += 1;
  return count;
}

type Of<T extends Rhythm["type"]> = Extract<Rhythm, { type: T }>;
type Table = { readonly [T in Rhythm["type"]]: (rhythm: Of<T>, at: number) => number | undefined };

const NEXT: Table = {
  cron: ({ cron, timeZone }, after) => nextOf(cron, timeZone, after),
  every: ({ periodMs, anchor }, after) => anchor + Math.max(0, Math.floor((after - anchor) / periodMs) + 1) * periodMs,
  at: ({ times }, after) => times.find((time) => time > after),
};

const LATEST: Table = {
  cron: ({ cron, timeZone }, until) => latestOf(cron, timeZone, until),
  every: ({ periodMs, anchor }, until) => (until < anchor ? undefined : anchor + Math.floor((until - anchor) / periodMs) * periodMs),
  at: ({ times }, until) => times.findLast((time) => time <= until),
};

/** FNV-1a, 32 bits, with a final mix: neighbours differ in all bits. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) h = Math.imul(h ^ text.charCodeAt(at), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
