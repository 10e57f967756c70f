const ISO = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|z|[+-]\d{2}(?::?\d{2}(?::?\d{2})?)?)?)?$/;

/**
 * Milliseconds since the epoch of a date that Python's `isoformat()` wrote. A date without an offset is UTC, as Celery has it.
 * Never reads the local time zone. Returns undefined for anything that is not a real date (a 30th of February included).
 */
export function parseIso(text: string): number | undefined {
  const match = ISO.exec(text.trim());
  if (match === null) return undefined;
  const [, year, month, day, hour = "0", minute = "0", second = "0", fraction = "", zone = ""] = match;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const clock = (Number(hour) * 3_600 + Number(minute) * 60 + Number(second)) * 1_000 + Math.floor(Number(`0.${fraction}0`) * 1_000);
  return date.getTime() + clock - offsetMs(zone);
}

/** `isoformat()` of an aware UTC datetime: `+00:00`, never `Z` (Python before 3.11 does not read it), no fraction when it is zero. */
export function formatIso(ms: number): string {
  if (ms === last.ms) return last.text;
  const text = new Date(ms).toISOString();
  const fraction = text.slice(-5, -1);
  last = { ms, text: `${text.slice(0, -5)}${fraction === ".000" ? "" : `${fraction}000`}+00:00` };
  return last.text;
}

/** A busy worker ends many tasks in one millisecond. */
let last: { readonly ms: number; readonly text: string } = { ms: Number.NaN, text: "" };

function offsetMs(zone: string): number {
  const digits = zone.replace(/[^\d]/g, "");
  if (digits === "") return 0;
  const seconds = Number(digits.slice(0, 2)) * 3_600 + Number(digits.slice(2, 4)) * 60 + Number(digits.slice(4, 6));
  return (zone.startsWith("-") ? -1 : 1) * seconds * 1_000;
}
