import type { ObjectKey } from "../runtime/object.ts";
import type { PoolPlan } from "./decide/policy.ts";

/** A pool of one broker, as the loop sees it. */
export interface LoopPool {
  readonly key: ObjectKey;
  readonly plan: PoolPlan;
  /** It may grow, and is not there yet. */
  readonly mayGrow: boolean;
}

/** Pools that may grow at once are looked at this often, ms, where the broker's share allows it; the others every second. */
export const QUICK_EVERY_MS = 200;
const FULL_EVERY_MS = 1_000;
/** Looks at queues that one broker is asked for, per second: beyond it pools take turns. */
const LOOKS_PER_SECOND = 2_000;
/** However many queues there are, each is looked at this often, ms: an older count is believed no more. */
const SLOWEST_MS = 2_000;

/** Says whose turn it is. Pools of which a burst is arriving are always among them; of the others, those that have waited longest. */
export interface Turns {
  next(all: readonly LoopPool[], bursting: ReadonlySet<ObjectKey>, now: number): readonly LoopPool[];
}

export function createTurns(): Turns {
  let lookedAt = new Map<ObjectKey, number>();
  let share = 0;
  let askedAt = Number.NEGATIVE_INFINITY;

  return {
    next(all, bursting, now) {
      const queues = all.reduce((sum, { plan }) => sum + plan.queues.length, 0);
      const perMs = Math.max(LOOKS_PER_SECOND / 1_000, queues / SLOWEST_MS);
      share = Math.min(perMs * QUICK_EVERY_MS, share + perMs * Math.min(QUICK_EVERY_MS, now - askedAt));
      askedAt = now;
      const waited = ({ key }: LoopPool) => now - (lookedAt.get(key) ?? Number.NEGATIVE_INFINITY);
      const isDue = (pool: LoopPool) => waited(pool) >= (pool.mayGrow ? QUICK_EVERY_MS : FULL_EVERY_MS) - SLACK_MS;
      const chosen = all.filter(({ key }) => bursting.has(key));
      const due = all.filter((pool) => !bursting.has(pool.key) && isDue(pool));
      for (const pool of chosen) share -= pool.plan.queues.length;
      for (const pool of due.toSorted((one, other) => waited(other) - waited(one))) {
        // A pool with more queues than the share has its turn, too, and the next ones wait for it.
        if (share <= 0) break;
        share -= pool.plan.queues.length;
        chosen.push(pool);
      }
      lookedAt = new Map(all.map(({ key }) => [key, lookedAt.get(key) ?? Number.NEGATIVE_INFINITY]));
      for (const { key } of chosen) lookedAt.set(key, now);
      return chosen;
    },
  };
}

/** Timers are early and late by some milliseconds: a turn must not be missed for one of them. */
const SLACK_MS = 20;
