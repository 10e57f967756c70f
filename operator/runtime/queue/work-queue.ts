import type { Clock } from "../clock.ts";
import { type Backoff, backoffMs } from "./backoff.ts";
import { createPrioritySet } from "./priority-set.ts";

export interface WorkQueueOptions {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** Of `retry`; default 5 ms doubling up to 5 minutes. */
  readonly backoff?: Backoff;
}

/** Priority of what nobody waits for: the initial list and resyncs. What changed just now has 0 and goes first. */
export const BACKGROUND = -100;

export interface AddOptions {
  /** Higher goes first; equal ones in order of arrival. Default 0. A key that waits already keeps the higher one. */
  readonly priority?: number;
  /** Not before this many ms from now. An earlier time for the same key wins. Default 0. */
  readonly afterMs?: number;
}

/**
 * Keys that need work. A key waits at most once; nobody else gets it while it is worked on; added meanwhile, it comes again afterwards.
 * All methods are synchronous, so that order is certain; only `take` waits.
 */
export interface WorkQueue extends Disposable {
  add(key: string, options?: AddOptions): void;
  /** Adds after the key's own backoff, which grows until `forget`. */
  retry(key: string): void;
  /** The next try of this key, if it fails, starts at the shortest backoff. */
  forget(key: string): void;
  /** The next key; the caller must say `done` with it. undefined once the signal aborts or the queue is disposed of. */
  take(signal: AbortSignal): Promise<string | undefined>;
  done(key: string): void;
  /** Keys that could be taken now. */
  readonly depth: number;
}

interface Waiter {
  give(key: string | undefined): void;
}

const DEFAULT_BACKOFF: Backoff = { baseMs: 5, capMs: 300_000 };

export function createWorkQueue({ clock, random, backoff = DEFAULT_BACKOFF }: WorkQueueOptions): WorkQueue {
  const ready = createPrioritySet();
  const processing = new Set<string>();
  /** Added while processing: the priority with which it comes back. */
  const dirty = new Map<string, number>();
  const delayed = new Map<string, { readonly at: number; readonly priority: number; readonly timer: Disposable }>();
  const failures = new Map<string, number>();
  const waiters = new Set<Waiter>();
  let disposed = false;

  const enqueue = (key: string, priority: number): void => {
    if (processing.has(key)) {
      dirty.set(key, Math.max(priority, dirty.get(key) ?? priority));
      return;
    }
    ready.add(key, priority);
    hand();
  };

  const hand = (): void => {
    for (const waiter of waiters) {
      const key = ready.shift();
      if (key === undefined) return;
      processing.add(key);
      waiters.delete(waiter);
      waiter.give(key);
    }
  };

  const cancelDelayed = (key: string): void => {
    delayed.get(key)?.timer[Symbol.dispose]();
    delayed.delete(key);
  };

  const add = (key: string, { priority = 0, afterMs = 0 }: AddOptions = {}): void => {
    if (disposed) return;
    if (afterMs <= 0) return enqueue(key, priority);
    const at = clock.elapsed() + afterMs;
    const before = delayed.get(key);
    if (before !== undefined && before.at <= at) return;
    cancelDelayed(key);
    const timer = clock.after(afterMs, () => {
      delayed.delete(key);
      enqueue(key, priority);
    });
    delayed.set(key, { at, priority, timer });
  };

  return {
    add,
    retry(key) {
      const count = failures.get(key) ?? 0;
      failures.set(key, count + 1);
      add(key, { afterMs: backoffMs(backoff, count, random()) });
    },
    forget(key) {
      failures.delete(key);
    },
    take(signal) {
      if (disposed || signal.aborted) return Promise.resolve(undefined);
      return new Promise((resolve) => {
        const stop = () => waiter.give(undefined);
        const waiter: Waiter = {
          give(key) {
            waiters.delete(waiter);
            signal.removeEventListener("abort", stop);
            resolve(key);
          },
        };
        signal.addEventListener("abort", stop, { once: true });
        waiters.add(waiter);
        hand();
      });
    },
    done(key) {
      processing.delete(key);
      const priority = dirty.get(key);
      dirty.delete(key);
      if (priority !== undefined && !disposed) enqueue(key, priority);
    },
    get depth() {
      return ready.size;
    },
    [Symbol.dispose]() {
      disposed = true;
      for (const key of delayed.keys()) cancelDelayed(key);
      for (const waiter of waiters) waiter.give(undefined);
      ready.clear();
      dirty.clear();
    },
  };
}
