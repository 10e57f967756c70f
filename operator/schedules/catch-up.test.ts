import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type CatchUp, type CatchUpInput, duesNow } from "./catch-up.ts";
import { publishAt, type Timing } from "./due.ts";

const MINUTE = 60_000;
const hourly: Timing = { uid: "u", jitterMs: 0, rhythm: { type: "cron", cron: "0 * * * *", timeZone: "UTC" } };
const base: CatchUpInput = { timing: hourly, cursor: 0, now: 0, catchUp: "FireOnce", onTimeMs: 15_000, limit: 100 };
const hours = (...list: readonly number[]) => list.map((hour) => hour * 60 * MINUTE);

// The cursor stands at 00:00; times are minutes after that.
const cases: readonly [why: string, given: Partial<CatchUpInput> & { at: number }, fire: readonly number[], missed: number][] = [
  ["nothing is due before its time", { at: 59.99 }, [], 0],
  ["due now", { at: 60 }, hours(1), 0],
  ["a change of leaders is no catching up, whatever the policy", { at: 60.2, catchUp: "Skip" }, hours(1), 0],
  ["Skip leaves out what is too late", { at: 61, catchUp: "Skip" }, [], 1],
  ["FireOnce publishes a single one that is late", { at: 61 }, hours(1), 0],
  ["FireOnce publishes the latest of three", { at: 190 }, hours(3), 2],
  ["FireOnce publishes nothing late beside one in time", { at: 180.1 }, hours(3), 2],
  ["FireAll publishes all", { at: 190, catchUp: "FireAll" }, hours(1, 2, 3), 0],
  ["FireAll goes on next time where there are too many", { at: 190, catchUp: "FireAll", limit: 2 }, hours(1, 2), 0],
  ["FireAll leaves out what is past its deadline", { at: 190, catchUp: "FireAll", deadlineMs: 75 * MINUTE }, hours(2, 3), 1],
  ["FireOnce publishes nothing past its deadline", { at: 190, deadlineMs: 5 * MINUTE }, [], 3],
  ["a deadline shorter than a change of leaders counts", { at: 60.2, deadlineMs: 5_000 }, [], 1],
];
test.for(cases)("%s", ([, { at, ...given }, fire, missed]) => {
  const now = at * MINUTE;
  const dues = duesNow({ ...base, now, ...given });
  expect(dues).toMatchObject({ fire, missed });
  const after = duesNow({ ...base, now, ...given, cursor: dues.cursor });
  expect({ again: given.limit === undefined ? after.fire : [], missed: after.missed }).toEqual({ again: [], missed: 0 });
});

test("what was missed for a year is counted up to twenty, and costs no time", () => {
  const every: Timing = { ...hourly, rhythm: { type: "every", periodMs: 1_000, anchor: 0 } };
  const dues = duesNow({ ...base, timing: every, catchUp: "Skip", now: 365 * 24 * 60 * MINUTE });
  expect(dues.missed).toBe(20);
  expect(dues.fire).toHaveLength(16);
});

test("jitter makes nothing late, and nothing early", () => {
  const timing: Timing = { ...hourly, jitterMs: 30 * MINUTE };
  const due = 60 * MINUTE;
  const published = publishAt(timing, due);
  expect(published).toBeGreaterThan(due + MINUTE);
  expect(duesNow({ ...base, timing, catchUp: "Skip", now: published - 1 })).toMatchObject({ fire: [], missed: 0, nextAt: published });
  expect(duesNow({ ...base, timing, catchUp: "Skip", now: published })).toMatchObject({ fire: [due], missed: 0 });
});

test("whenever it is looked, in however many steps, FireAll publishes every due time once and in order", () => {
  const rhythms = fc.integer({ min: 3_000, max: 9_000 }).map((periodMs): Timing["rhythm"] => ({ type: "every", periodMs, anchor: 0 }));
  fc.assert(
    fc.property(
      rhythms,
      fc.integer({ min: 0, max: 20_000 }),
      fc.array(fc.integer({ min: 0, max: 40_000 }), { maxLength: 30 }),
      fc.integer({ min: 1, max: 3 }),
      (rhythm, jitterMs, steps, limit) => {
        const timing: Timing = { uid: "u", jitterMs, rhythm };
        let [cursor, now] = [0, 0];
        const fired: number[] = [];
        for (const step of [...steps, 100_000, ...Array<number>(200).fill(0)]) {
          now += step;
          const dues = duesNow({ ...base, timing, cursor, now, limit, catchUp: "FireAll" });
          fired.push(...dues.fire);
          cursor = dues.cursor;
        }
        const all = duesNow({ ...base, timing, now, limit: 100_000, catchUp: "FireAll" }).fire;
        expect(fired).toEqual(all.slice(0, fired.length));
        expect(fired.length).toBeGreaterThanOrEqual(Math.min(all.length, 200));
      },
    ),
  );
});

test.for<CatchUp>(["Skip", "FireOnce", "FireAll"])("a cursor never goes back (%s)", (catchUp) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e8 }), fc.integer({ min: -1e8, max: 1e8 }), (cursor, ahead) => {
      expect(duesNow({ ...base, catchUp, cursor, now: cursor + ahead }).cursor).toBeGreaterThanOrEqual(cursor);
    }),
    { numRuns: 30 },
  );
});
