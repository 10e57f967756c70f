import { expect, test } from "vitest";
import { scheduleKind } from "../kinds/schedule/schema.ts";
import { nextDue } from "../schedules/due.ts";
import { convertBeat } from "./celery-beat.ts";

const options = { broker: "rabbitmq", store: "redis", timeZone: "Europe/Berlin", queue: "celery" };
const spec = (schedule: unknown, more: object = {}) => convertBeat({ e: { task: "t", schedule, ...more } }, options)[0]?.schedule?.spec;

const times: readonly [why: string, schedule: unknown, want: object][] = [
  ["seconds", 30, { every: "30s" }],
  ["seconds that are minutes", 300.0, { every: "5m" }],
  ["parts of a second", 1.5, { every: "1500ms" }],
  ["a day", 86_400, { every: "1d" }],
  ["an interval of django-celery-beat", { every: 2, period: "hours" }, { every: "2h" }],
  ["an interval of RedBeat", { __type__: "interval", every: 90, relative: false }, { every: "90s" }],
  [
    "a crontab of RedBeat",
    { __type__: "crontab", minute: "30", hour: "2", day_of_week: "*", day_of_month: "*", month_of_year: "*" },
    { cron: "30 2 * * *", timeZone: "Europe/Berlin" },
  ],
  [
    "a crontab, nested, with numbers and lists",
    { crontab: { minute: 0, hour: [6, 18], day_of_week: "mon-fri" } },
    { cron: "0 6,18 * * mon-fri", timeZone: "Europe/Berlin" },
  ],
  ["steps and spaces", { minute: "*/15", hour: "8, 12" }, { cron: "*/15 8,12 * * *" }],
  ["a time zone of its own", { minute: "0", hour: "0", timezone: "UTC" }, { cron: "0 0 * * *", timeZone: "UTC" }],
  ["a range beyond the end of the day", { minute: "0", hour: "22-2" }, { cron: "0 22,23,0,1,2 * * *" }],
  ["a range beyond the end of the week, in steps", { minute: "0", hour: "0", day_of_week: "fri-tue/2" }, { cron: "0 0 * * 5,0,2" }],
  ["a range beyond the end of the year", { minute: "0", hour: "0", month_of_year: "11-2" }, { cron: "0 0 * 11,12,1,2 *" }],
  ["days by their whole names", { minute: "0", hour: "0", day_of_week: "Monday-Friday,SUNDAY" }, { cron: "0 0 * * mon-fri,sun" }],
  [
    "steps of days and a weekday: Celery wants both",
    { minute: "0", hour: "0", day_of_month: "*/2", day_of_week: 1 },
    { cron: "0 0 */2 * +1" },
  ],
  ["both days: Celery wants both", { minute: "0", hour: "0", day_of_month: "13", day_of_week: "fri" }, { cron: "0 0 13 * +fri" }],
];
test.for(times)("%s", ([, schedule, want]) => expect(spec(schedule)).toMatchObject(want));

test("where both days are given, only a day that is both is due", () => {
  const { cron = "" } = spec({ minute: "0", hour: "0", day_of_month: "13", day_of_week: "fri" }) as { cron?: string };
  const timing = { uid: "", jitterMs: 0, rhythm: { type: "cron", cron, timeZone: "UTC" } } as const;
  expect(new Date(nextDue(timing, Date.UTC(2026, 2, 14)) ?? 0).toISOString()).toBe("2026-11-13T00:00:00.000Z");
});

const refused: readonly [schedule: unknown, note: RegExp][] = [
  [{ __type__: "solar", event: "sunset", lat: 52.5, lon: 13.4 }, /solar schedules are not supported/],
  [{ event: "sunset", lat: 52.5, lon: 13.4 }, /solar schedules are not supported/],
  [{ __type__: "rrule", freq: "DAILY" }, /rrule/],
  [0.1, /too often/],
  [{ minute: "61" }, /^schedule: cron "61 \* \* \* \*" cannot be read/],
  ["noon", /expected a number of seconds/],
  [undefined, /expected a number of seconds/],
];
test.for(refused)("%j is named, not guessed", ([schedule, note]) => {
  const [converted] = convertBeat({ e: { task: "t", schedule } }, options);
  expect(converted?.schedule).toBeUndefined();
  expect(converted?.notes.join()).toMatch(note);
});

test("an entry with all it may have is a Schedule that the API takes", () => {
  const beat = {
    "Send report!": {
      task: "reports.send",
      schedule: 60,
      args: [1],
      kwargs: { kind: "full" },
      options: { queue: "reports", priority: 3, expires: 90, headers: { tenant: 7 }, countdown: 5 },
    },
    "send-report": { task: "x", schedule: 60, options: { exchange: "shop", routing_key: "a.b" }, enabled: false },
    default: { task: "y", schedule: 60 },
  };
  const converted = convertBeat(beat, options);
  for (const { schedule } of converted) expect(scheduleKind.spec.safeParse(schedule?.spec)).toMatchObject({ success: true });
  expect(converted).toMatchObject(
    [
      {
        schedule: {
          name: "send-report",
          spec: { args: [1], kwargs: { kind: "full" }, queue: "reports", priority: 3, expires: "90000ms", headers: { tenant: "7" } },
        },
        notes: ["options.countdown has no equivalent and is left out"],
      },
      { schedule: { name: "send-report-2", spec: { exchange: "shop", routingKey: "a.b", suspend: true } }, notes: [] },
      { schedule: { name: "default", spec: { queue: "celery" } }, notes: [/no queue is named/] },
    ].map(({ schedule, notes }) => ({
      schedule,
      notes: notes.map((note) => (typeof note === "string" ? note : (expect.stringMatching(note) as string))),
    })),
  );
  expect(() => convertBeat([], options)).toThrow(/one entry per schedule/);
});
