import { calendarProblem, latestOf } from "../../runtime/calendar.ts";

/** A scheduled minimum, as the API has it. */
export interface Floor {
  /** Five fields: minute, hour, day of month, month, day of week, read as those of a Schedule. */
  readonly cron: string;
  readonly timeZone: string;
  readonly durationMinutes: number;
  readonly minReplicas: number;
}

const MINUTE_MS = 60_000;

/**
 * The highest floor that holds at a time: one whose cron began a period within its last `durationMinutes`. A beginning that a clock change skips is
 * right after the gap; one that it repeats is the first. Pure. Throws a `RangeError` that names the floor whose cron or time zone cannot be read.
 */
export function activeFloor(floors: readonly Floor[], now: number): number {
  return floors.filter((floor) => holds(floor, now)).reduce((highest, { minReplicas }) => Math.max(highest, minReplicas), 0);
}

function holds({ cron, timeZone, durationMinutes }: Floor, now: number): boolean {
  try {
    const begun = latestOf(cron, timeZone, now);
    return begun !== undefined && now - begun < durationMinutes * MINUTE_MS;
  } catch (error) {
    throw new RangeError(calendarProblem(cron, timeZone) ?? String(error), { cause: error });
  }
}
