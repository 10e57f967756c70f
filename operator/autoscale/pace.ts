/** Runs the work when at least the interval has passed since it began last and it is not running; else does nothing. */
export type Pace = (now: () => number, work: () => Promise<void>) => Promise<void>;

export function paced(everyMs: number): Pace {
  let began = Number.NEGATIVE_INFINITY;
  let running = false;
  return async (now, work) => {
    if (running || now() - began < everyMs) return;
    began = now();
    running = true;
    try {
      await work();
    } finally {
      running = false;
    }
  };
}
