import { expect, test } from "vitest";
import { backoffMs } from "./backoff.ts";

const cases: readonly [why: string, failures: number, random: number, ms: number][] = [
  ["the first wait is the base", 0, 0, 5],
  ["each failure doubles it", 3, 0, 40],
  ["it never exceeds the cap", 20, 0, 1_000],
  ["nor overflows after very many failures", 5_000, 0, 1_000],
  ["jitter only shortens, by half at most", 3, 0.999_999, 20],
];
test.for(cases)("%s", ([, failures, random, ms]) => {
  expect(backoffMs({ baseMs: 5, capMs: 1_000 }, failures, random)).toBeCloseTo(ms, 3);
});

test("without jitter, random does not matter", () => {
  expect(backoffMs({ baseMs: 5, capMs: 1_000, jitter: 0 }, 1, 0.9)).toBe(10);
});
