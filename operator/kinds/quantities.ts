/** The two texts with a unit that specs have. The schema's patterns are the grammar; these never throw on what it lets through. */

const MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `1h30m` -> 5,400,000. Throws `RangeError` on what is no duration. */
export function durationMs(text: string): number {
  const parts = [...text.matchAll(/([0-9]+)(ms|s|m|h|d)/g)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join("") !== text)
    throw new RangeError(`${text} is no duration such as 90s or 1h30m`);
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (MS[unit ?? ""] ?? 0), 0);
}

const BYTES: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** `512Mi` -> 536,870,912, and a number stays what it is; exact up to 2^53. Throws `RangeError` on what is no quantity of bytes. */
export function byteCount(text: string | number): number {
  if (typeof text === "number") return text;
  const match = /^([0-9]+)([A-Za-z]*)$/.exec(text);
  const factor = BYTES[match?.[2] ?? ""];
  if (match === null || factor === undefined) throw new RangeError(`${text} is no quantity of bytes such as 512Mi`);
  return Number(match[1]) * factor;
}
