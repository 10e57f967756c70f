import type { QueuePattern } from "../../kinds/worker-pool/inputs.ts";
import { queuePattern } from "../../kinds/worker-pool/queue-pattern.ts";
import type { PoolPlan } from "../decide/policy.ts";
import { type Reading, TOTALS_STALE_MS } from "./reading.ts";

/** All names of a vhost's queues, or undefined while they were never read. */
export type QueueNames = Reading<readonly string[]> | undefined;

/** Finds the queues that a pool's patterns mean. One per pool: what was found is kept until there are other names. */
export function createMatching(): (plan: PoolPlan, patterns: readonly QueuePattern[], names: QueueNames, now: number) => PoolPlan {
  let known: { readonly patterns: string; readonly names: readonly string[]; readonly queues: PoolPlan["queues"] } | undefined;
  return (plan, patterns, names, now) => {
    if (patterns.length === 0) return plan;
    const text = JSON.stringify(patterns);
    if (names !== undefined && (known?.names !== names.value || known.patterns !== text)) {
      known = { patterns: text, names: names.value, queues: expand(patterns, names.value) };
    }
    const named = new Set(plan.queues.map(({ name }) => name));
    const found = known?.patterns === text ? known.queues.filter(({ name }) => !named.has(name)) : [];
    // There may be queues by now that nobody has told us of: nothing is removed on such a list.
    const stale = names === undefined || now - names.at > TOTALS_STALE_MS;
    return { ...plan, queues: [...plan.queues, ...found], unresolved: stale ? patterns.map(({ pattern }) => pattern) : [] };
  };
}

/** The first pattern that means a queue gives its weight. Pure. */
function expand(patterns: readonly QueuePattern[], names: readonly string[]): PoolPlan["queues"] {
  const readable = patterns.flatMap(({ pattern, weight }) => {
    const read = queuePattern(pattern);
    return "matches" in read ? [{ matches: read.matches, weight }] : [];
  });
  return names.flatMap((name) => {
    const first = readable.find(({ matches }) => matches(name));
    return first === undefined ? [] : [{ name, weight: first.weight }];
  });
}
