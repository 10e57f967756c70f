import { expect, test } from "vitest";
import { activeFloor, type Floor } from "./floors.ts";

const floor = (given: Partial<Floor>): Floor => ({ cron: "0 8 * * 1-5", timeZone: "UTC", durationMinutes: 600, minReplicas: 5, ...given });
const at = (text: string) => Date.parse(text);

const floorAt230 = { cron: "30 2 * * *", timeZone: "Europe/Berlin", durationMinutes: 60 };
// 2026-03-02 is a Monday; Berlin goes from UTC+1 to UTC+2 on 2026-03-29.
const cases: readonly [why: string, floors: readonly Partial<Floor>[], now: string, want: number][] = [
  ["it begins in its minute", [{}], "2026-03-02T08:00:00Z", 5],
  ["a moment earlier there is none", [{}], "2026-03-02T07:59:59Z", 0],
  ["it lasts as long as it says", [{}], "2026-03-02T17:59:59Z", 5],
  ["and no longer", [{}], "2026-03-02T18:00:00Z", 0],
  ["not on a Sunday", [{}], "2026-03-01T10:00:00Z", 0],
  ["in its own time zone", [{ timeZone: "Europe/Berlin" }], "2026-03-02T07:00:00Z", 5],
  ["in summer, too", [{ timeZone: "Europe/Berlin" }], "2026-03-30T06:00:00Z", 5],
  ["in a zone with three quarters of an hour", [{ timeZone: "Asia/Kathmandu", durationMinutes: 1 }], "2026-03-02T02:15:30Z", 5],
  ["over midnight", [{ cron: "0 22 * * 5", durationMinutes: 240 }], "2026-03-07T01:59:00Z", 5],
  ["the highest of several", [{}, { minReplicas: 9 }, { minReplicas: 20, cron: "0 20 * * *" }], "2026-03-02T09:00:00Z", 9],
  ["Sunday is 0 and 7", [{ cron: "0 8 * * 7" }], "2026-03-01T08:00:00Z", 5],
  ["names of days and months", [{ cron: "0 8 * mar mon-fri" }], "2026-03-02T08:00:00Z", 5],
  ["steps and lists", [{ cron: "*/20,7 8-10/2 * * *", durationMinutes: 1 }], "2026-03-02T10:40:00Z", 5],
  ["steps and lists, between", [{ cron: "*/20,7 8-10/2 * * *", durationMinutes: 1 }], "2026-03-02T09:40:00Z", 0],
  ["from a number in steps, as for a CronJob", [{ cron: "5/20 8 * * *", durationMinutes: 1 }], "2026-03-02T08:25:00Z", 5],
  ["day of month or day of week", [{ cron: "0 8 15 * 1" }], "2026-03-02T08:00:00Z", 5],
  ["steps of days or day of week, as for a CronJob", [{ cron: "0 8 */2 * 1" }], "2026-03-03T08:00:00Z", 5],
  ["every day of the month leaves it to the weekday", [{ cron: "0 8 * * 1" }], "2026-03-03T08:00:00Z", 0],
  ["a beginning that the clock skips is right after the gap", [floorAt230], "2026-03-29T01:00:00Z", 5],
  ["and not before", [floorAt230], "2026-03-29T00:59:59Z", 0],
  ["a beginning that the clock repeats is the first", [floorAt230], "2026-10-25T01:31:00Z", 0],
  ["a day that never comes", [{ cron: "0 0 30 2 *" }], "2026-03-02T08:00:00Z", 0],
  ["the longest period", [{ cron: "0 0 1 * *", durationMinutes: 44_640 }], "2026-03-31T23:59:00Z", 5],
  ["no floors", [], "2026-03-02T08:00:00Z", 0],
];
test.for(cases)("%s", ([, floors, now, want]) => {
  expect(activeFloor(floors.map(floor), at(now))).toBe(want);
});

const broken: readonly [floor: Partial<Floor>, says: RegExp][] = [
  [{ cron: "0 8 * *" }, /^cron "0 8 \* \*" cannot be read: .*five/],
  [{ cron: "0 24 * * *" }, /^cron "0 24 \* \* \*" cannot be read: .*24/],
  [{ cron: "0 8 * * mon-x" }, /cannot be read: .*entry 5/],
  [{ cron: "*/0 8 * * *" }, /cannot be read: .*stepping: 0/],
  [{ cron: "a 8 * * *" }, /cannot be read: .*entry 1/],
  [{ timeZone: "Mars/Phobos" }, /^timeZone Mars\/Phobos is not known/],
];
test.for(broken)("%j is refused", ([given, says]) => {
  expect(() => activeFloor([floor(given)], at("2026-03-02T08:00:00Z"))).toThrow(says);
});
