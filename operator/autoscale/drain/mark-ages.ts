import type { Clock } from "../../runtime/clock.ts";

/** How long pods have been marked as drained, ms. */
export interface MarkAges {
  /** @param since when the mark says that it was set, on the wall clock */
  of(pod: string, since: number): number;
  forget(living: ReadonlySet<string>): void;
}

/**
 * Believes the wall clock once, when it first sees a mark, for another operator may have set it; from then on it counts for itself. A clock that
 * jumps neither ends a drain's time nor gives it more.
 */
export function createMarkAges(clock: Pick<Clock, "now" | "elapsed">): MarkAges {
  const seen = new Map<string, { readonly since: number; readonly age: number; readonly at: number }>();
  return {
    of(pod, since) {
      let mark = seen.get(pod);
      if (mark?.since !== since) {
        mark = { since, age: Math.max(0, clock.now() - since), at: clock.elapsed() };
        seen.set(pod, mark);
      }
      return mark.age + clock.elapsed() - mark.at;
    },
    forget(living) {
      for (const pod of seen.keys()) if (!living.has(pod)) seen.delete(pod);
    },
  };
}
