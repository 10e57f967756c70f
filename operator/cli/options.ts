import { UsageError } from "./yaml-source.ts";

/** A number from the command line. Throws `UsageError` that names the option. */
export function numberOption(option: string, text: string, least: number): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (Number.isFinite(value) && value >= least) return value;
  throw new UsageError(`${option} is ${JSON.stringify(text)}; expected a number, ${least} or more`);
}

/** A time from the command line, ms since the epoch. Throws `UsageError` that names the option. */
export function timeOption(option: string, text: string): number {
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return time;
  throw new UsageError(`${option} is ${JSON.stringify(text)}; expected a time as 2026-01-05T08:00:00Z`);
}
