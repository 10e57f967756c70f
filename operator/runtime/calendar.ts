import { Cron } from "croner";

/** A parsed cron of the library holds about 100 KB: only the last one is kept, the others are parsed again when they are due. */
let last: { readonly cron: string; readonly timeZone: string; readonly parsed: Cron } | undefined;

function cronOf(cron: string, timeZone: string): Cron {
  if (last?.cron === cron && last.timeZone === timeZone) return last.parsed;
  // Sloppy: `5/20` is `5-59/20`, as for a CronJob.
  const parsed = new Cron(cron, { timezone: timeZone, paused: true, mode: "5-or-6-parts", sloppyRanges: true });
  last = { cron, timeZone, parsed };
  return parsed;
}

/**
 * The next time, ms, that a cron names in a time zone, strictly after another. Undefined: there is none, as for the 30th of February.
 * Throws what the library throws on a cron or time zone that it cannot read: `calendarProblem` says it in words.
 */
export const nextOf = (cron: string, timeZone: string, after: number): number | undefined =>
  cronOf(cron, timeZone).nextRun(new Date(after))?.getTime();

/** The latest time, ms, that a cron names in a time zone, at or before another. As `nextOf`. */
export function latestOf(cron: string, timeZone: string, until: number): number | undefined {
  // The library looks strictly before, by whole seconds.
  const [latest] = cronOf(cron, timeZone).previousRuns(1, new Date(Math.floor(until / 1_000) * 1_000 + 1_000));
  return latest?.getTime();
}

/** What is wrong with a cron or its time zone, in words that begin with the field; undefined when both can be read. */
export function calendarProblem(cron: string, timeZone: string): string | undefined {
  try {
    nextOf(cron, "UTC", 0);
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^CronPattern: /, "") : String(error);
    return `cron ${JSON.stringify(cron)} cannot be read: ${why}`;
  }
  try {
    nextOf(cron, timeZone, 0);
  } catch {
    return `timeZone ${timeZone} is not known; expected an IANA time zone such as Europe/Berlin`;
  }
  return undefined;
}
