import { calendarProblem } from "../runtime/calendar.ts";

type Fields = Readonly<Record<string, unknown>>;
type Times = { readonly spec: Fields } | { readonly problem: string };

/** Celery's names of a crontab's fields, in cron's order, with their bounds. celery/schedules.py */
const BOUNDS = { minute: [0, 59], hour: [0, 23], day_of_month: [1, 31], month_of_year: [1, 12], day_of_week: [0, 6] } as const;
const CRONTAB = ["minute", "hour", "day_of_month", "month_of_year", "day_of_week"] as const;
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const SECONDS: Readonly<Record<string, number>> = { days: 86_400, hours: 3_600, minutes: 60, seconds: 1, microseconds: 1e-6 };

/**
 * The times of one entry: a number of seconds, an interval (`every`, with `period` as django-celery-beat writes it), or a crontab, as plain fields or
 * below `crontab`; RedBeat's `__type__` is understood. Pure; never throws.
 */
export function beatTimes(schedule: unknown, timeZone: string): Times {
  if (typeof schedule === "number") return everySeconds(schedule);
  if (typeof schedule !== "object" || schedule === null) return { problem: "expected a number of seconds, an interval or a crontab" };
  const fields = schedule as Fields;
  const type = fields["__type__"];
  if (type === "solar" || "solar" in fields || ("event" in fields && "lat" in fields))
    return { problem: "solar schedules are not supported: there is no equivalent; use a cron, or a task that computes the next time" };
  if (type === "rrule") return { problem: "rrule schedules are not supported; use a cron, or several" };
  if (typeof fields["crontab"] === "object" && fields["crontab"] !== null) return crontab(fields["crontab"] as Fields, timeZone);
  if (CRONTAB.some((field) => field in fields)) return crontab(fields, timeZone);
  if (typeof fields["every"] === "number") {
    const unit = SECONDS[String(fields["period"] ?? "seconds")];
    return unit === undefined
      ? { problem: `period ${JSON.stringify(fields["period"])} is not known` }
      : everySeconds(fields["every"] * unit);
  }
  return { problem: "expected a number of seconds, an interval or a crontab" };
}

function everySeconds(seconds: number): Times {
  if (!(seconds >= 1)) return { problem: `every ${seconds} s is too often; at least 1 s` };
  const units = [
    ["d", 86_400],
    ["h", 3_600],
    ["m", 60],
    ["s", 1],
  ] as const;
  const [unit, size] = units.find(([, length]) => seconds % length === 0) ?? (["ms", 0.001] as const);
  return { spec: { every: `${Math.round(seconds / size)}${unit}` } };
}

function crontab(fields: Fields, timeZone: string): Times {
  const texts = CRONTAB.map((field) =>
    textOf(fields[field])
      .split(",")
      .map((part) => partOf(part, field))
      .join(),
  );
  const [, , day = "*", , weekday = "*"] = texts;
  // Celery wants both days to fit where both are given; cron is content with either, but for the plus.
  const both = day !== "*" && weekday !== "*";
  const cron = texts.map((text, at) => (at === 4 && both ? `+${text}` : text)).join(" ");
  const zone = typeof fields["timezone"] === "string" ? fields["timezone"] : timeZone;
  const problem = calendarProblem(cron, zone);
  return problem === undefined ? { spec: { cron, timeZone: zone } } : { problem };
}

/** Celery's ranges may go beyond the end (`22-2`, `sat-mon`), and it knows a day by its first three letters (`Sunday`). */
function partOf(part: string, field: (typeof CRONTAB)[number]): string {
  const [low, high] = BOUNDS[field];
  const text = part.toLowerCase().replaceAll(/[a-z]+/g, (name) => name.slice(0, 3));
  const [, begin = "", end = "", step = "1"] = /^([0-9a-z]+)-([0-9a-z]+)(?:\/([0-9]+))?$/.exec(text) ?? [];
  const number = (name: string) => (field === "day_of_week" && DAYS.includes(name) ? DAYS.indexOf(name) : Number(name));
  const [from, to] = [number(begin), number(end)];
  if (!(from > to)) return text;
  const values = Array.from({ length: high - from + 1 + to - low + 1 }, (_, index) => from + index);
  return values
    .filter((_, index) => index % Number(step) === 0)
    .map((value) => (value > high ? value - high - 1 + low : value))
    .join();
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return "*";
  if (Array.isArray(value)) return value.map(String).join(",");
  return String(value).replaceAll(/\s+/g, "") || "*";
}
