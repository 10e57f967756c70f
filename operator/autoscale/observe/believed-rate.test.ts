import { expect, test } from "vitest";
import { believe } from "./believed-rate.ts";

const over = (...rates: readonly (readonly [seconds: number, rate: number])[]) => rates.map(([seconds, rate]) => ({ seconds, rate }));
const even = (count: number) => Array.from({ length: 20 }, () => count);
/** Counts that lie a fifth of the mean above it and below it in turns. */
const noisy = (mean: number) => Array.from({ length: 20 }, (_, nth) => mean * (nth % 2 === 0 ? 1.2 : 0.8));

const cases: readonly [why: string, rates: readonly (readonly [number, number])[], counts: readonly number[], want: number][] = [
  [
    "the longest past that agrees",
    [
      [10, 31],
      [60, 29],
      [300, 30],
    ],
    even(300),
    300,
  ],
  [
    "none beyond a step",
    [
      [10, 60],
      [60, 32],
      [300, 30],
    ],
    even(300),
    10,
  ],
  [
    "what lies before a contradiction is not believed either",
    [
      [10, 30],
      [60, 60],
      [300, 30],
    ],
    even(300),
    10,
  ],
  [
    "what varies a lot contradicts less",
    [
      [10, 42],
      [60, 29],
      [300, 30],
    ],
    noisy(300),
    300,
  ],
  [
    "which independent arrivals would have contradicted",
    [
      [10, 42],
      [60, 29],
      [300, 30],
    ],
    even(300),
    10,
  ],
];
test.for(cases)("believed is %s", ([, rates, counts, want]) => expect(believe(over(...rates), counts).seconds).toBe(want));

test("the spread is learnt from neighbours: noise counts, a step and a burst do not", () => {
  const spread = (counts: readonly number[]): number => believe([], counts).dispersion;
  expect(spread(even(300))).toBe(1);
  expect(spread(noisy(300))).toBeGreaterThan(10);
  expect(spread([...even(100), ...even(500)])).toBe(1);
  expect(spread([...even(100), 5_000, ...even(100)])).toBe(1);
  expect(spread([300, 10, 500])).toBe(1);
  expect(spread(even(0))).toBe(1);
});

test("nothing was measured: a rate of 0", () => expect(believe([], [])).toEqual({ rate: 0, seconds: 1, dispersion: 1 }));
