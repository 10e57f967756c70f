import { countDue, latestDue, nextDue, publishAt, type Timing } from "./due.ts";

export type CatchUp = "Skip" | "FireOnce" | "FireAll";

export interface CatchUpInput {
  readonly timing: Timing;
  /** Every due time until then was handled, ms since the epoch. */
  readonly cursor: number;
  readonly now: number;
  /** Due times are looked for until then, ms since the epoch, so that they are ready at their time; default `now`. */
  readonly until?: number;
  readonly catchUp: CatchUp;
  /** Later than this, ms, a due time is missed for good; absent: never. */
  readonly deadlineMs?: number;
  /** Up to this, ms, a due time is published whatever `catchUp` says: longer than a change of leaders takes. */
  readonly onTimeMs: number;
  /** Most due times at once. */
  readonly limit: number;
}

/** What is to be done now, or at its time until `until`. */
export interface Dues {
  /** Due times to publish, ascending. */
  readonly fire: readonly number[];
  /** How many are left out; counted up to 20. */
  readonly missed: number;
  /** Where the cursor stands when that is done. */
  readonly cursor: number;
  /** When there is something to do again; absent: never. */
  readonly nextAt?: number;
}

/** Counting costs a tenth of a millisecond each. */
const COUNTED = 20;

/**
 * Which due times are to be published now, which are left out, and when to look again. Pure. What the cursor has passed never comes back; what is due
 * later, by its jitter too, is not touched.
 */
export function duesNow(input: CatchUpInput): Dues {
  const { timing, cursor, until = input.now } = input;
  const begin = Math.max(cursor, START[input.catchUp](input));
  const fire = collect(timing, begin, until, input.limit);
  const missed = begin > cursor ? countDue(timing, cursor, begin, COUNTED) : 0;
  const end = fire.at(-1) ?? (missed > 0 ? begin : cursor);
  const next = nextDue(timing, Math.max(end, begin));
  return { fire, missed, cursor: end, ...(next === undefined ? {} : { nextAt: publishAt(timing, next) }) };
}

function collect(timing: Timing, after: number, until: number, limit: number): readonly number[] {
  const fire: number[] = [];
  for (let due = nextDue(timing, after); due !== undefined && due <= until && fire.length < limit; due = nextDue(timing, due)) {
    if (publishAt(timing, due) > until) break;
    fire.push(due);
  }
  return fire;
}

type From = (input: CatchUpInput) => number;

/** Due times at or before these moments are missed. Jitter does not make late. */
const expired: From = ({ now, deadlineMs, timing }) => (deadlineMs === undefined ? -1 : now - deadlineMs - timing.jitterMs - 1);
const late: From = ({ now, onTimeMs, timing }) => now - onTimeMs - timing.jitterMs - 1;

const START: Readonly<Record<CatchUp, From>> = {
  FireAll: expired,
  Skip: (input) => Math.max(expired(input), late(input)),
  FireOnce: (input) => {
    const { timing, now, cursor } = input;
    const floor = Math.max(expired(input), late(input));
    const next = nextDue(timing, Math.max(cursor, floor));
    const inTime = next !== undefined && publishAt(timing, next) <= now;
    const latest = inTime ? undefined : latestDue(timing, Math.max(floor, cursor));
    return latest === undefined || latest <= Math.max(cursor, expired(input)) ? floor : latest - 1;
  },
};
