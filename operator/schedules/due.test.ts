import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countDue, latestDue, nextDue, publishAt, type Rhythm, type Timing } from "./due.ts";

const of = (rhythm: Rhythm, more: Partial<Timing> = {}): Timing => ({ uid: "u", rhythm, jitterMs: 0, ...more });
const cron = (text: string, timeZone = "UTC"): Timing => of({ type: "cron", cron: text, timeZone });
const at = Date.parse;
const next = (timing: Timing, after: string, count: number): readonly string[] => {
  const found: string[] = [];
  for (let due = nextDue(timing, at(after)); due !== undefined && found.length < count; due = nextDue(timing, due))
    found.push(new Date(due).toISOString().replace(":00.000Z", "Z"));
  return found;
};

// Berlin: forward 2026-03-29 01:00Z (02:00 becomes 03:00), back 2026-10-25 01:00Z. New York: forward 2026-03-08 07:00Z, back 2026-11-01 06:00Z.
const crons: readonly [why: string, timing: Timing, after: string, want: readonly string[]][] = [
  [
    "Berlin, forward: a skipped time is due right after the gap",
    cron("30 2 * * *", "Europe/Berlin"),
    "2026-03-28T12:00Z",
    ["2026-03-29T01:00Z", "2026-03-30T00:30Z"],
  ],
  [
    "Berlin, forward: every half hour stays every half hour",
    cron("*/30 * * * *", "Europe/Berlin"),
    "2026-03-29T00:15Z",
    ["2026-03-29T00:30Z", "2026-03-29T01:00Z", "2026-03-29T01:30Z"],
  ],
  [
    "Berlin, back: a repeated time is due once, the first time",
    cron("30 2 * * *", "Europe/Berlin"),
    "2026-10-24T12:00Z",
    ["2026-10-25T00:30Z", "2026-10-26T01:30Z"],
  ],
  [
    "Berlin, back: every half hour goes on through the repeated hour",
    cron("*/30 * * * *", "Europe/Berlin"),
    "2026-10-25T00:15Z",
    ["2026-10-25T00:30Z", "2026-10-25T01:00Z", "2026-10-25T01:30Z", "2026-10-25T02:00Z"],
  ],
  ["New York, forward", cron("30 2 * * *", "America/New_York"), "2026-03-07T12:00Z", ["2026-03-08T07:00Z", "2026-03-09T06:30Z"]],
  [
    "New York, forward, hourly",
    cron("@hourly", "America/New_York"),
    "2026-03-08T05:30Z",
    ["2026-03-08T06:00Z", "2026-03-08T07:00Z", "2026-03-08T08:00Z"],
  ],
  ["New York, back", cron("30 1 * * *", "America/New_York"), "2026-10-31T12:00Z", ["2026-11-01T05:30Z", "2026-11-02T06:30Z"]],
  [
    "New York, back, hourly",
    cron("@hourly", "America/New_York"),
    "2026-11-01T04:30Z",
    ["2026-11-01T05:00Z", "2026-11-01T06:00Z", "2026-11-01T07:00Z"],
  ],
  [
    "Lord Howe changes by half an hour",
    cron("0 1 * * *", "Australia/Lord_Howe"),
    "2026-04-03T00:00Z",
    ["2026-04-03T14:00Z", "2026-04-04T14:00Z", "2026-04-05T14:30Z"],
  ],
  ["leap day", cron("0 0 29 2 *"), "2026-01-01T00:00Z", ["2028-02-29T00:00Z", "2032-02-29T00:00Z"]],
  [
    "the 31st, in months that have one",
    cron("0 0 31 * *"),
    "2026-01-01T00:00Z",
    ["2026-01-31T00:00Z", "2026-03-31T00:00Z", "2026-05-31T00:00Z"],
  ],
  [
    "the last day of the month",
    cron("0 12 L * *"),
    "2027-12-15T00:00Z",
    ["2027-12-31T12:00Z", "2028-01-31T12:00Z", "2028-02-29T12:00Z", "2028-03-31T12:00Z"],
  ],
  [
    "both days given: either suffices",
    cron("0 0 13 * 5"),
    "2026-01-01T00:00Z",
    ["2026-01-02T00:00Z", "2026-01-09T00:00Z", "2026-01-13T00:00Z"],
  ],
  [
    "six fields begin with the second",
    cron("*/20 * * * * *"),
    "2026-01-01T00:00Z",
    ["2026-01-01T00:00:20.000Z", "2026-01-01T00:00:40.000Z", "2026-01-01T00:01Z"],
  ],
  ["a day that never comes", cron("0 0 30 2 *"), "2026-01-01T00:00Z", []],
];
test.for(crons)("%s", ([, timing, after, want]) => expect(next(timing, after, want.length || 1)).toEqual(want));

const every = (periodMs: number, anchor: string): Rhythm => ({ type: "every", periodMs, anchor: at(anchor) });
const others: readonly [why: string, timing: Timing, after: string, want: readonly string[]][] = [
  [
    "an interval counts from its anchor",
    of(every(900_000, "2026-01-01T00:07Z")),
    "2026-01-01T00:07Z",
    ["2026-01-01T00:22Z", "2026-01-01T00:37Z"],
  ],
  [
    "a start is due itself",
    of(every(900_000, "2026-01-01T09:00Z"), { from: at("2026-01-01T09:00Z") }),
    "2026-01-01T00:00Z",
    ["2026-01-01T09:00Z", "2026-01-01T09:15Z"],
  ],
  [
    "a start is due itself for a cron that names it",
    { ...cron("0 * * * *"), from: at("2026-01-01T09:00Z") },
    "2026-01-01T00:00Z",
    ["2026-01-01T09:00Z", "2026-01-01T10:00Z"],
  ],
  [
    "nothing after the end",
    { ...cron("0 * * * *"), to: at("2026-01-01T02:00Z") },
    "2026-01-01T00:30Z",
    ["2026-01-01T01:00Z", "2026-01-01T02:00Z"],
  ],
  [
    "one-off times",
    of({ type: "at", times: [at("2026-01-02T00:00Z"), at("2026-01-03T00:00Z")] }),
    "2026-01-02T00:00Z",
    ["2026-01-03T00:00Z"],
  ],
];
test.for(others)("%s", ([, timing, after, want]) =>
  expect(next(timing, after, want.length + 1)).toEqual(
    timing.to === undefined && timing.rhythm.type !== "at" ? expect.arrayContaining([...want]) : want,
  ),
);

describe("whatever the times are", () => {
  const timings = fc.record({
    rhythm: fc.oneof(
      fc
        .constantFrom("*/7 3 * * *", "30 2 * * *", "0 0 L * *", "*/15 * * * * *", "@weekly")
        .map((text): Rhythm => ({ type: "cron", cron: text, timeZone: "Europe/Berlin" })),
      fc
        .record({ periodMs: fc.integer({ min: 1_000, max: 1e8 }), anchor: fc.integer({ min: 1.7e12, max: 1.8e12 }) })
        .map((one): Rhythm => ({ type: "every", ...one })),
      fc
        .uniqueArray(fc.integer({ min: 1.7e12, max: 1.8e12 }), { minLength: 1 })
        .map((times): Rhythm => ({ type: "at", times: times.toSorted((a, b) => a - b) })),
    ),
    jitterMs: fc.integer({ min: 0, max: 1e7 }),
    uid: fc.uuid(),
  });
  const moments = fc.integer({ min: 1.7e12, max: 1.8e12 });

  test("the next is after, the latest is not after, and nothing lies between the latest and the next", () => {
    fc.assert(
      fc.property(timings, moments, (timing, moment) => {
        const [after, before] = [nextDue(timing, moment), latestDue(timing, moment)];
        if (after !== undefined) expect(after).toBeGreaterThan(moment);
        if (before === undefined) return;
        expect(before).toBeLessThanOrEqual(moment);
        expect(nextDue(timing, before)).toBe(after);
        expect(countDue(timing, before - 1, moment, 5)).toBe(1);
      }),
      { numRuns: 300 },
    );
  });

  test("jitter is the same each time, never negative, and never beyond the next due time", () => {
    fc.assert(
      fc.property(timings, moments, (timing, moment) => {
        const due = nextDue(timing, moment);
        if (due === undefined) return;
        const published = publishAt(timing, due);
        expect(publishAt(timing, due)).toBe(published);
        expect(published - due).toBeGreaterThanOrEqual(0);
        expect(published).toBeLessThan(Math.min(due + Math.max(1, timing.jitterMs), nextDue(timing, due) ?? Infinity));
      }),
      { numRuns: 300 },
    );
  });
});

test("jitter spreads schedules that are due together", () => {
  const times = Array.from({ length: 1_000 }, (_, n) =>
    publishAt({ ...cron("0 * * * *"), uid: `uid-${n}`, jitterMs: 60_000 }, at("2026-01-01T00:00Z")),
  );
  const quarters = [0, 1, 2, 3].map(
    (quarter) => times.filter((time) => Math.floor((time - at("2026-01-01T00:00Z")) / 15_000) === quarter).length,
  );
  for (const count of quarters) expect(count).toBeGreaterThan(150);
});
