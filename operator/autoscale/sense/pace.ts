/** Runs the work when it is time and it is not running already; else does nothing. */
export type Pace = (now: () => number, work: () => Promise<void>) => Promise<void>;

/** A share of the time at most is spent on the work: what takes long is done seldom. */
const SHARE = 0.1;

/** @param everyMs shortest time between two beginnings; ten times as long as the work took last, where that is longer */
export function paced(everyMs: number): Pace {
  let next = Number.NEGATIVE_INFINITY;
  let running = false;
  return async (now, work) => {
    const began = now();
    if (running || began < next) return;
    running = true;
    try {
      await work();
    } finally {
      running = false;
      next = began + Math.max(everyMs, (now() - began) / SHARE);
    }
  };
}
