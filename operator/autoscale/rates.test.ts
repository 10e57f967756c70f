import { expect, test } from "vitest";
import { addSample, NO_RATES, type Rates, ratesAt } from "./rates.ts";

/** Samples four times a second for `seconds`: `arrive(second)` tasks come per second, `finish` are done per second, each of `serviceMs`. */
function run(seconds: number, arrive: (second: number) => number, finish: number, serviceMs: number, rates: Rates = NO_RATES): Rates {
  let [next, backlog, finished] = [rates, 1_000, 0];
  for (let step = 0; step <= seconds * 4; step++) {
    const counters = new Map([["a", { boot: "1", finished, busyMs: finished * serviceMs }]]);
    next = addSample(next, { at: step * 250, backlog, counters });
    backlog += arrive(Math.floor(step / 4)) / 4 - finish / 4;
    finished += finish / 4;
  }
  return next;
}

test("the arrival rate of a queue that workers keep empty is seen from what they finish", () => {
  const { fast, slow, serviceSeconds } = ratesAt(
    run(60, () => 20, 20, 300),
    60_000,
  );
  expect(fast).toBeCloseTo(20, 0);
  expect(slow).toBeCloseTo(20, 0);
  expect(serviceSeconds).toBeCloseTo(0.3, 3);
});

test("one burst is a backlog and not a rate", () => {
  const { fast, slow } = ratesAt(
    run(30, (second) => (second === 20 ? 500 : 0), 10, 300),
    30_000,
  );
  expect(fast).toBeLessThan(1);
  expect(slow).toBeLessThan(1);
});

test("a lasting step is seen within seconds by the fast figure", () => {
  const rates = run(46, (second) => (second >= 40 ? 50 : 5), 5, 300);
  expect(ratesAt(rates, 46_000).fast).toBeGreaterThan(20);
  expect(ratesAt(rates, 46_000).slow).toBeLessThan(12);
});

test("a worker that began anew does not count its history again", () => {
  const at = (boot: string, finished: number) => new Map([["a", { boot, finished, busyMs: finished * 100 }]]);
  let rates = addSample(NO_RATES, { at: 0, backlog: 0, counters: at("1", 1_000) });
  rates = addSample(rates, { at: 1_000, backlog: 0, counters: at("1", 1_010) });
  rates = addSample(rates, { at: 2_000, backlog: 0, counters: at("2", 3) });
  expect(rates.finished).toBeLessThan(14);
  expect(rates.buckets.map(({ arrived }) => arrived)).toEqual([10, 3]);
});

test("an unknown backlog measures nothing, and neither does the gap after it", () => {
  const counters = new Map<string, never>();
  let rates = addSample(NO_RATES, { at: 0, backlog: 10, counters });
  rates = addSample(rates, { at: 1_000, backlog: undefined, counters });
  rates = addSample(rates, { at: 9_000, backlog: 500, counters });
  expect(ratesAt(rates, 9_000)).toEqual({ fast: 0, slow: 0, serviceSeconds: undefined });
});

test("rates fade when nothing is measured", () => {
  expect(
    ratesAt(
      run(30, () => 20, 20, 300),
      100_000,
    ),
  ).toMatchObject({ fast: 0, slow: 0 });
});
