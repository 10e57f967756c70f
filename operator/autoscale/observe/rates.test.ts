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
  expect(ratesAt(rates, 9_000)).toMatchObject({ fast: 0, slow: 0, surge: 0, believed: { rate: 0 }, serviceSeconds: undefined });
});

test("rates fade when nothing is measured", () => {
  expect(
    ratesAt(
      run(30, () => 20, 20, 300),
      100_000,
    ),
  ).toMatchObject({ fast: 0, slow: 0 });
});

test("the rate is believed over minutes while nothing changes, and over seconds right after a step", () => {
  const steady = run(400, () => 20, 20, 300);
  expect(ratesAt(steady, 400_000).believed?.seconds).toBeGreaterThan(285);
  expect(ratesAt(steady, 400_000).believed?.rate).toBeCloseTo(20, 0);
  const stepped = run(410, (second) => (second >= 400 ? 60 : 20), 20, 300);
  expect(ratesAt(stepped, 410_000).believed?.seconds).toBeLessThanOrEqual(10);
  expect(ratesAt(stepped, 410_000).believed?.rate).toBeGreaterThan(50);
});

test("a surge is what the last four seconds have in common", () => {
  const surge = (from: number, to: number) => {
    const rates = run(30, (second) => (second >= from && second < to ? 100 : 10), 10, 300);
    return ratesAt(rates, 30_000).surge;
  };
  expect(surge(25, 30)).toBeCloseTo(100, 0);
  expect(surge(27, 30)).toBeCloseTo(10, 0);
});

test("a few long tasks do not swing the service time of many", () => {
  const at = (finished: number, busyMs: number) => new Map([["a", { boot: "1", finished, busyMs }]]);
  let rates = addSample(NO_RATES, { at: 0, backlog: 0, counters: at(0, 0) });
  for (let second = 1; second <= 100; second++)
    rates = addSample(rates, { at: second * 1_000, backlog: 0, counters: at(second * 50, second * 50_000) });
  rates = addSample(rates, { at: 101_000, backlog: 0, counters: at(5_010, 5_000_000 + 10 * 60_000) });
  expect(ratesAt(rates, 101_000).serviceSeconds).toBeLessThan(1.2);
});
