/** A scheduled minimum, as the API has it. */
export interface Floor {
  /** Five fields: minute, hour, day of month, month, day of week (0 and 7 are Sunday). */
  readonly cron: string;
  readonly timeZone: string;
  readonly durationMinutes: number;
  readonly minReplicas: number;
}

const MINUTE_MS = 60_000;
/** Every time zone's offset is constant within a quarter of an hour. */
const BLOCK_MINUTES = 15;
const NAMES = [
  [],
  [],
  [],
  ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
  ["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
] as const;
const RANGES = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 7],
] as const;

interface Cron {
  readonly fields: readonly ReadonlySet<number>[];
  /** Whether day of month and day of week are both restricted: then either of them suffices, as in Vixie cron. */
  readonly eitherDay: boolean;
}

/**
 * The highest floor that holds at a time: one whose cron began a period within its last `durationMinutes`. Local times that a clock change
 * skips begin nothing, those that it repeats begin twice. Pure. Throws a `RangeError` that names the floor whose cron or time zone cannot be read.
 */
export function activeFloor(floors: readonly Floor[], now: number): number {
  return floors.filter((floor) => holds(floor, now)).reduce((highest, { minReplicas }) => Math.max(highest, minReplicas), 0);
}

function holds({ cron, timeZone, durationMinutes }: Floor, now: number): boolean {
  const parsed = parse(cron);
  const local = localTime(timeZone);
  const last = Math.floor(now / MINUTE_MS);
  const first = last - durationMinutes + 1;
  for (let minute = last; minute >= first; ) {
    const block = Math.max(first, minute - (minute % BLOCK_MINUTES));
    const begin = local(block * MINUTE_MS);
    for (; minute >= block; minute--) if (matches(parsed, begin, minute - block)) return true;
  }
  return false;
}

/** Minute, hour, day of month, month, day of week. Within a block only the minute differs. */
type Local = readonly [minute: number, hour: number, day: number, month: number, weekday: number];

function localTime(timeZone: string): (at: number) => Local {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    minute: "numeric",
    hour: "numeric",
    day: "numeric",
    month: "numeric",
    weekday: "short",
  });
  return (at) => {
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
    const number = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type));
    const weekday = NAMES[4].findIndex((name) => name === parts.get("weekday")?.toLowerCase());
    return [number("minute"), number("hour"), number("day"), number("month"), weekday];
  };
}

function matches({ fields, eitherDay }: Cron, [minute, hour, day, month, weekday]: Local, after: number): boolean {
  const has = (field: number, value: number) => fields[field]?.has(value) === true;
  const days = eitherDay ? has(2, day) || has(4, weekday) : has(2, day) && has(4, weekday);
  return has(0, minute + after) && has(1, hour) && has(3, month) && days;
}

function parse(cron: string): Cron {
  const texts = cron.trim().toLowerCase().split(/\s+/);
  if (texts.length !== RANGES.length) throw new RangeError(`cron ${JSON.stringify(cron)} has ${texts.length} fields; expected five`);
  const fields = texts.map((text, field) => new Set(text.split(",").flatMap((part) => parsePart(part, field, cron))));
  if (fields[4]?.has(7)) fields[4].add(0);
  return { fields, eitherDay: !texts[2]?.startsWith("*") && !texts[4]?.startsWith("*") };
}

/** `*`, `5`, `1-5`, `mon-fri`, each with `/step`. */
function parsePart(part: string, field: number, cron: string): readonly number[] {
  const [low = 0, high = 0] = RANGES[field] ?? [];
  const [, from = "", to, step] = /^(\*|[0-9a-z]+)(?:-([0-9a-z]+))?(?:\/([0-9]+))?$/.exec(part) ?? [];
  const value = (text: string): number => {
    const name = (NAMES[field] as readonly string[] | undefined)?.indexOf(text) ?? -1;
    return name >= 0 ? name + (field === 3 ? 1 : 0) : Number(text);
  };
  const start = from === "*" ? low : value(from);
  const end = to !== undefined ? value(to) : from === "*" || step !== undefined ? high : start;
  const every = Number(step ?? 1);
  const valid = from !== "" && Number.isInteger(start) && Number.isInteger(end) && start >= low && end <= high && start <= end && every > 0;
  if (!valid) throw new RangeError(`cron ${JSON.stringify(cron)}: ${JSON.stringify(part)} is not within ${low}-${high}`);
  return Array.from({ length: Math.floor((end - start) / every) + 1 }, (_, index) => start + index * every);
}
