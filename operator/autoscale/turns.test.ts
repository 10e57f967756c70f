import { expect, test } from "vitest";
import type { PoolPlan } from "./decide/policy.ts";
import { createTurns, type LoopPool } from "./turns.ts";

const plan = (queues: number) => ({ queues: Array.from({ length: queues }, (_, at) => ({ name: `q${at}`, weight: 1 })) });
const pool = (key: string, mayGrow = true, queues = 1): LoopPool => ({
  key,
  mayGrow,
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only the queues count here
  plan: plan(queues) as unknown as PoolPlan,
});
const many = (count: number, mayGrow = true, queues = 1) => Array.from({ length: count }, (_, at) => pool(`p${at}`, mayGrow, queues));

/** Asks every 200 ms; returns for each pool the times of its looks. */
function looks(pools: readonly LoopPool[], ms: number, bursting: ReadonlySet<string> = new Set()): ReadonlyMap<string, readonly number[]> {
  const turns = createTurns();
  const times = new Map<string, number[]>(pools.map(({ key }) => [key, []]));
  for (let now = 0; now < ms; now += 200) for (const { key } of turns.next(pools, bursting, now)) times.get(key)?.push(now);
  return times;
}
const longestGap = (times: readonly number[], end: number) =>
  [...times, end].reduce((longest, time, at) => Math.max(longest, time - (times[at - 1] ?? 0)), 0);

test("few pools that may grow are looked at every time, the others once a second", () => {
  const times = looks([pool("up"), pool("full", false)], 10_000);
  expect(times.get("up")).toHaveLength(50);
  expect(times.get("full")).toHaveLength(10);
});

test.for([
  ["1,000 pools with 2 queues", 1_000, 2, 1_200, 2_100],
  ["5,000 pools", 5_000, 1, 3_000, 2_600],
])("%s take turns, and none waits longer than a count may be old", ([, count, queues, longest, perSecond]) => {
  const times = [...looks(many(Number(count), true, Number(queues)), 20_000).values()];
  const all = times.reduce((sum, of) => sum + of.length, 0) * Number(queues);
  expect(Math.max(...times.map((of) => longestGap(of, 20_000)))).toBeLessThanOrEqual(Number(longest));
  expect(all / 20).toBeLessThanOrEqual(Number(perSecond));
});

test("a pool of which a burst is arriving is looked at every time, however many others wait", () => {
  const pools = many(3_000);
  expect(looks(pools, 4_000, new Set(["p2999"])).get("p2999")).toHaveLength(20);
});

test("a pool with more queues than one look may have gets its turn, and the others theirs", () => {
  const times = looks([pool("wide", true, 2_000), ...many(10)], 20_000);
  for (const [key, of] of times) expect(longestGap(of, 20_000), key).toBeLessThanOrEqual(3_000);
});

test("what is gone is forgotten", () => {
  const turns = createTurns();
  expect(turns.next([pool("a")], new Set(), 0)).toHaveLength(1);
  expect(turns.next([], new Set(["a"]), 100)).toEqual([]);
  // Made anew: it has not been looked at.
  expect(turns.next([pool("a")], new Set(), 120)).toHaveLength(1);
});
