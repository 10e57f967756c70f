import type { Clock } from "../ports.ts";

export interface FakeClock extends Clock {
  /** Lets `ms` pass: due timers run in their order, each at its own time, and what they woke runs before the next. */
  advance(ms: number): Promise<void>;
  /** Timers that wait. */
  readonly pending: number;
}

/** Lets promise chains run to their end: macrotasks come after all microtasks. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => void setImmediate(resolve));
}

/** A clock that stands still until told. Begins at 2026-01-01T00:00:00Z unless said otherwise, ms since the epoch. */
export function fakeClock(startAt = Date.UTC(2026, 0, 1)): FakeClock {
  let now = startAt;
  const timers = new Map<symbol, { readonly at: number; readonly fn: () => void }>();
  return {
    now: () => now,
    setTimeout(fn, ms) {
      const id = Symbol("timer");
      timers.set(id, { at: now + ms, fn });
      return { cancel: () => void timers.delete(id) };
    },
    get pending() {
      return timers.size;
    },
    async advance(ms) {
      const end = now + ms;
      await settled();
      for (;;) {
        const [first] = [...timers].filter(([, { at }]) => at <= end).toSorted(([, a], [, b]) => a.at - b.at);
        if (first === undefined) break;
        const [id, { at, fn }] = first;
        timers.delete(id);
        now = Math.max(now, at);
        fn();
        await settled();
      }
      now = end;
    },
  };
}
