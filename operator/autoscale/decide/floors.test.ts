import { expect, test } from "vitest";
import { activeFloor, type Floor } from "./floors.ts";

const floor = (given: Partial<Floor>): Floor => ({ cron: "0 8 * * 1-5", timeZone: "UTC", durationMinutes: 600, minReplicas: 5, ...given });
const at = (text: string) => Date.parse(text);

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
  ["day of month or day of week", [{ cron: "0 8 15 * 1" }], "2026-03-02T08:00:00Z", 5],
  ["the longest period", [{ cron: "0 0 1 * *", durationMinutes: 44_640 }], "2026-03-31T23:59:00Z", 5],
  ["no floors", [], "2026-03-02T08:00:00Z", 0],
];
test.for(cases)("%s", ([, floors, now, want]) => {
  expect(activeFloor(floors.map(floor), at(now))).toBe(want);
});

const broken: readonly [cron: string, says: string][] = [
  ["0 8 * *", "has 4 fields; expected five"],
  ["0 24 * * *", '"24" is not within 0-23'],
  ["0 8 * * mon-x", '"mon-x" is not within 0-7'],
  ["*/0 8 * * *", '"*/0" is not within 0-59'],
  ["a 8 * * *", '"a" is not within 0-59'],
];
test.for(broken)("%s is refused", ([cron, says]) => {
  expect(() => activeFloor([floor({ cron })], at("2026-03-02T08:00:00Z"))).toThrow(says);
});
