import { expect, test } from "vitest";
import { queuePattern } from "./queue-pattern.ts";

const matches = (pattern: string, name: string): boolean => {
  const read = queuePattern(pattern);
  if ("problem" in read) throw new Error(read.problem);
  return read.matches(name);
};

const cases: readonly [pattern: string, name: string, want: boolean][] = [
  ["orders\\..*", "orders.eu", true],
  ["orders\\..*", "orders_eu", false],
  ["orders\\..*", "my.orders.eu", false],
  ["orders", "orders.eu", false],
  ["(eu|us)-[a-z0-9]+", "eu-west1", true],
  ["(eu|us)-[a-z0-9]+", "ap-west1", false],
  ["eu|us", "eux", false],
  ["[(*+]+", "(*+", true],
  ["job.{3}", "job-42", true],
];
test.for(cases)("%s on %s", ([pattern, name, want]) => expect(matches(pattern, name)).toBe(want));

const refused: readonly [pattern: string, says: string][] = [
  ["(a+)+", "repeats a group"],
  ["(a|a)*b", "repeats a group"],
  [".*a.*b.*", "3 repetitions without an end"],
  ["(a)\\1", "refers back"],
  ["(?=a).*", "looks around"],
  ["(", "Unterminated group"],
  ["a".repeat(201), "more than 200 characters"],
];
test.for(refused)("%s is refused", ([pattern, says]) => expect(queuePattern(pattern)).toEqual({ problem: expect.stringContaining(says) }));

test("what is let through is quick on the worst name", () => {
  const began = performance.now();
  expect(matches("a*.*b", `${"a".repeat(254)}c`)).toBe(false);
  expect(performance.now() - began).toBeLessThan(2_000);
});
