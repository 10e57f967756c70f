import type { Clock } from "../../operator/runtime/clock.ts";

export interface FakeClock extends Clock {
  /** Lets `ms` pass: due timers run in order, each at its own time, and what they woke runs before the next. */
  advance(ms: number): Promise<void>;
  /** Sets the wall clock on, or back; the monotonic one knows nothing of it. */
  jump(ms: number): void;
  /** Timers that wait. */
  readonly pending: number;
}

/** A clock that stands still until told. Begins at 2026-01-01T00:00:00Z, unless said otherwise. */
export function createFakeClock(startAt = Date.UTC(2026, 0, 1)): FakeClock {
  let elapsed = 0;
  let jumped = 0;
  const timers = new Map<symbol, { readonly at: number; readonly callback: () => void }>();

  return {
    now: () => startAt + jumped + elapsed,
    jump: (ms) => void (jumped += ms),
    elapsed: () => elapsed,
    after(ms, callback) {
      const id = Symbol("timer");
      timers.set(id, { at: elapsed + ms, callback });
      return { [Symbol.dispose]: () => timers.delete(id) };
    },
    get pending() {
      return timers.size;
    },
    async advance(ms) {
      const end = elapsed + ms;
      await settled();
      for (;;) {
        const due = [...timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at);
        const [first] = due;
        if (first === undefined) break;
        const [id, { at, callback }] = first;
        timers.delete(id);
        elapsed = Math.max(elapsed, at);
        callback();
        await settled();
      }
      elapsed = end;
    },
  };
}

/** Lets promise chains run to their end: macrotasks come after all microtasks. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => void setImmediate(resolve));
}
