/** What was needed when; newest last, without gaps in value: equal neighbours are merged. */
export type NeedWindow = readonly { readonly from: number; readonly replicas: number }[];

/** Adds what is needed now and forgets what ended more than `keepMs` ago. */
export function addNeed(window: NeedWindow, replicas: number, now: number, keepMs: number): NeedWindow {
  const last = window.at(-1);
  const next = last?.replicas === replicas ? window : [...window, { from: now, replicas }];
  // An entry ends where the next one begins.
  return next.filter((_, index) => (next[index + 1]?.from ?? Number.POSITIVE_INFINITY) > now - keepMs);
}

/** The highest need that held at any time within the last `ms`. */
export const highestNeed = (window: NeedWindow, now: number, ms: number): number =>
  Math.max(0, ...within(window, now, ms).map(({ replicas }) => replicas));

/** The lowest need that held at any time within the last `ms`; 0 when the window began later than that. */
export function lowestNeed(window: NeedWindow, now: number, ms: number): number {
  if ((window[0]?.from ?? now) > now - ms) return 0;
  return Math.min(...within(window, now, ms).map(({ replicas }) => replicas));
}

const within = (window: NeedWindow, now: number, ms: number): NeedWindow =>
  window.filter((_, index) => (window[index + 1]?.from ?? Number.POSITIVE_INFINITY) > now - ms);
