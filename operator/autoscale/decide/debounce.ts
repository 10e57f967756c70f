/** A growth that is being watched before it is acted upon. */
export interface Growth {
  readonly since: number;
  readonly backlog: number;
  readonly replicas: number;
}

/** How soon to look again while a burst arrives, ms. */
export const LOOK_AGAIN_MS = 60;
/** A burst is acted upon at the latest after this long, ms. */
const LONGEST_WAIT_MS = 400;

/**
 * Messages of one burst arrive over some milliseconds: a size decided on the first few would need a second patch. So growth waits for a
 * second look at which the backlog has not grown any more, or the size would be the same at its limit; and never longer than 400 ms.
 * Returns what to remember, and whether to act now.
 */
export function settleGrowth(
  before: Growth | undefined,
  wanted: { readonly backlog: number; readonly replicas: number; readonly size: number; readonly atMaximum: boolean },
  now: number,
): { readonly growth: Growth | undefined; readonly act: boolean } {
  if (wanted.replicas <= wanted.size) return { growth: undefined, act: true };
  if (wanted.atMaximum) return { growth: undefined, act: true };
  const growth = { since: before?.since ?? now, backlog: wanted.backlog, replicas: wanted.replicas };
  if (before === undefined) return { growth, act: false };
  const settled = wanted.backlog <= before.backlog;
  if (settled || now - before.since >= LONGEST_WAIT_MS) return { growth: undefined, act: true };
  return { growth, act: false };
}
