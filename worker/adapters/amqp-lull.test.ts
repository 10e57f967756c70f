import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createLull, type Lull } from "./amqp-lull.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

interface Case {
  readonly before: (lull: Lull) => void;
  readonly after: (lull: Lull) => void;
  /** When it calls back, ms after it was asked. */
  readonly at: number;
}

const wait = (ms: number) => void vi.advanceTimersByTime(ms);
const nothing = (): void => {};
const busy = (lull: Lull): void => {
  for (let ms = 0; ms < 1_000; ms += 20) {
    lull.settled();
    wait(20);
    lull.taken();
  }
};
const CASES: Readonly<Record<string, Case>> = {
  "a consumer that holds nothing, at once": { before: nothing, after: nothing, at: 0 },
  "one that is full, at once": { before: (lull) => (lull.taken(), lull.taken()), after: nothing, at: 0 },
  "one that has settled a moment ago, when the next does not come": {
    before: (lull) => (lull.taken(), lull.settled(), wait(20)),
    after: () => wait(1_000),
    at: 30,
  },
  "one that has settled a moment ago, when it is full again": {
    before: (lull) => (lull.taken(), lull.taken(), lull.settled()),
    after: (lull) => (wait(10), lull.taken(), wait(1_000)),
    at: 10,
  },
  "one that settles while it waits, 50 ms after that": {
    before: (lull) => (lull.taken(), lull.settled(), lull.taken()),
    after: (lull) => (wait(40), lull.settled(), wait(1_000)),
    at: 90,
  },
  "one that is never quiet and never full, after 500 ms": { before: (lull) => (lull.taken(), lull.settled()), after: busy, at: 500 },
};

test.for(Object.entries(CASES))("%s", ([, { before, after, at }]) => {
  const lull = createLull(2);
  before(lull);
  const asked = performance.now();
  const calls: number[] = [];
  lull.await(() => void calls.push(performance.now() - asked));
  after(lull);
  expect(calls).toEqual([at]);
});
