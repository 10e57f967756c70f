import { Cron } from "croner";

/** A parsed cron of the library holds about 100 KB: only the last few are kept, the others are parsed again when they are due. */
const KEPT = 32;
const recent = new Map<string, Cron>();

function cronOf(cron: string, timeZone: string): Cron {
  const key = `${timeZone} ${cron}`;
  const known = recent.get(key);
  const parsed = known ?? new Cron(cron, { timezone: timeZone, paused: true, mode: "5-or-6-parts" });
  recent.delete(key);
  recent.set(key, parsed);
  if (recent.size > KEPT) for (const oldest of recent.keys()) if (recent.size > KEPT) recent.delete(oldest);
  return parsed;
}

/**
 * The next time, ms, that a cron names in a time zone, strictly after another. Undefined: there is none, as for the 30th of February.
 * Throws what the library throws on a cron or time zone that it cannot read.
 */
export const nextOf = (cron: string, timeZone: string, after: number): number | undefined =>
  cronOf(cron, timeZone).nextRun(new Date(after))?.getTime();

/** The latest time, ms, that a cron names in a time zone, at or before another. As `nextOf`. */
export function latestOf(cron: string, timeZone: string, until: number): number | undefined {
  // The library looks strictly before, by whole seconds.
  const [latest] = cronOf(cron, timeZone).previousRuns(1, new Date(Math.floor(until / 1_000) * 1_000 + 1_000));
  return latest?.getTime();
}
