/** Time as an argument: the real one in `main.ts`, a fake one in tests. */
export interface Clock {
  /** Wall clock, ms since the epoch: for timestamps that people read, never for measuring. */
  now(): number;
  /** Monotonic, ms since some moment: for ages and deadlines. */
  elapsed(): number;
  /** Calls back once after `ms`, unless disposed of before. */
  after(ms: number, callback: () => void): Disposable;
}

/** The machine's clock. Its timers never keep the process alive by themselves. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(ms, callback) {
    // setTimeout overflows to 1 ms beyond 2^31-1.
    const timer = setTimeout(callback, Math.min(ms, 2_147_483_647));
    timer.unref();
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};

/** Resolves after `ms`, or at once when the signal aborts. Never rejects: look at `signal.aborted` afterwards. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = () => {
      timer[Symbol.dispose]();
      signal.removeEventListener("abort", finish);
      resolve();
    };
    const timer = clock.after(ms, finish);
    signal.addEventListener("abort", finish, { once: true });
  });
}
