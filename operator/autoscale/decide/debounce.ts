/** A growth that is being watched before it is acted upon. */
export interface Growth {
  readonly since: number;
  /** When the backlog was seen to grow last. */
  readonly grewAt: number;
  readonly backlog: number;
  readonly replicas: number;
}

/** How soon to look again while a burst arrives, ms. */
export const LOOK_AGAIN_MS = 60;
/** A burst is over when nothing has come for so long, ms: two looks, for a publisher may stop in the middle of it for as long as one. */
const STILL_MS = 2 * LOOK_AGAIN_MS - 10;
/** A burst is acted upon at the latest after this long, ms. */
const LONGEST_WAIT_MS = 700;

/**
 * Messages of one burst arrive over some milliseconds: a size decided on the first few would need a second patch. So growth waits until
 * the backlog has not grown for 110 ms, unless the size would be the same at its limit; and never longer than 700 ms, so that a stream without end is acted upon within a second.
 * Returns what to remember, and whether to act now.
 */
export function settleGrowth(
  before: Growth | undefined,
  wanted: { readonly backlog: number; readonly replicas: number; readonly size: number; readonly atMaximum: boolean },
  now: number,
): { readonly growth: Growth | undefined; readonly act: boolean } {
  if (wanted.replicas <= wanted.size) return { growth: undefined, act: true };
  if (wanted.atMaximum) return { growth: undefined, act: true };
  const { backlog, replicas } = wanted;
  if (before === undefined) return { growth: { since: now, grewAt: now, backlog, replicas }, act: false };
  const grewAt = backlog > before.backlog ? now : before.grewAt;
  if (now - grewAt >= STILL_MS || now - before.since >= LONGEST_WAIT_MS) return { growth: undefined, act: true };
  return { growth: { since: before.since, grewAt, backlog, replicas }, act: false };
}
