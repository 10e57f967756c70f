import { expect, test } from "vitest";
import type { PoolPlan } from "../decide/policy.ts";
import { createMatching } from "./matching.ts";

/* oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only the queues of a plan are looked at */
const plan = { queues: [{ name: "orders.eu", weight: 5 }] } as unknown as PoolPlan;
const patterns = [
  { pattern: "orders\\..*", weight: 2 },
  { pattern: ".*", weight: 0 },
];

test("every queue that matches is meant once, by its name first and then by the first pattern, however many there are", () => {
  const names = ["orders.eu", "orders.us", "mail", ...Array.from({ length: 2_000 }, (_, index) => `orders.${index}`)];
  const matched = createMatching()(plan, patterns, { value: names, at: 0 }, 1_000);
  expect(matched.queues.slice(0, 3)).toEqual([
    { name: "orders.eu", weight: 5 },
    { name: "orders.us", weight: 2 },
    { name: "mail", weight: 0 },
  ]);
  expect(matched.queues).toHaveLength(2_003);
  expect(matched.unresolved).toEqual([]);
});

test("while the names are not known, or are old, the pool knows that something is missing", () => {
  const match = createMatching();
  const given = patterns.slice(0, 1);
  expect(match(plan, given, undefined, 0)).toMatchObject({ queues: plan.queues, unresolved: ["orders\\..*"] });
  const names = { value: ["orders.us"], at: 0 };
  expect(match(plan, given, names, 1_000)).toMatchObject({ queues: [{ name: "orders.eu" }, { name: "orders.us" }], unresolved: [] });
  expect(match(plan, given, names, 20_000)).toMatchObject({
    queues: [{ name: "orders.eu" }, { name: "orders.us" }],
    unresolved: ["orders\\..*"],
  });
  expect(match(plan, [], undefined, 0)).toBe(plan);
});
