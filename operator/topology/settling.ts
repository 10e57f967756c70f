import type { Clock } from "../runtime/clock.ts";
import type { Session } from "./link.ts";

/** A quorum queue's unacked messages may be counted this late, ms: it is gone only when it was empty for longer. */
const COUNTED_LATE_MS = 6_000;

/** Since when queues of one connection are seen empty, without having been anything else meanwhile. */
export interface Settling {
  /** It is seen empty now: for how many ms more it has to stay so before it may be removed. */
  seenEmpty(name: string): number;
  /** It is not empty, not to be removed, or gone: the next time counts from its beginning. */
  forget(name: string): void;
  /** Whether none is seen empty. */
  readonly idle: boolean;
}

/** One for each connection: a broker that was away may have something new. */
export function createSettling(clock: Clock): (connection: Session["picture"]) => Settling {
  const known = new WeakMap<Session["picture"], Settling>();
  return (connection) => {
    const there = known.get(connection);
    if (there !== undefined) return there;
    const emptySince = new Map<string, number>();
    const settling: Settling = {
      seenEmpty(name) {
        const since = emptySince.get(name) ?? clock.elapsed();
        emptySince.set(name, since);
        return Math.max(0, since + COUNTED_LATE_MS - clock.elapsed());
      },
      forget: (name) => void emptySince.delete(name),
      get idle() {
        return emptySince.size === 0;
      },
    };
    known.set(connection, settling);
    return settling;
  };
}
