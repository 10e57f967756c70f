import { parseIso } from "./json/iso.ts";
import { floatRepr } from "./json/number.ts";
import { PyDateTime, PyFloat, PyValue } from "./json/value.ts";

const UNPRINTABLE = /[\\\p{C}\p{Z}]/gu;
const SHORT: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", " ": " " };

/** Python's `repr(str)`: single quotes unless only the double ones need no escape; what does not print is escaped. */
export function strRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const body = text.replace(UNPRINTABLE, (char) => SHORT[char] ?? hexEscape(char.codePointAt(0) ?? 0));
  return `${quote}${quote === "'" ? body.replaceAll("'", "\\'") : body}${quote}`;
}

/**
 * Python's `repr` of a scalar: `None`, `True`, `1.5`, `'x'`, `Decimal('1.5')`; undefined for arrays and objects.
 * A bigint is an int. A whole JavaScript number is an int.
 */
export function scalarRepr(value: unknown): string | undefined {
  switch (typeof value) {
    case "undefined":
      return "None";
    case "boolean":
      return value ? "True" : "False";
    case "number":
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? String(value) : floatRepr(value);
    case "bigint":
      return value.toString();
    case "string":
      return strRepr(value);
    case "object":
      return value === null ? "None" : objectRepr(value);
    default:
      return `<${typeof value}>`;
  }
}

/** Python's `repr` of any value, at most about `maxLength` characters; deeper than 20 levels is `...`. Never throws. */
export function pyRepr(value: unknown, maxLength = 1_024): string {
  const parts: string[] = [];
  let left = maxLength;
  const put = (text: string): void => {
    parts.push(text.length > left ? `${text.slice(0, Math.max(0, left))}...` : text);
    left -= text.length;
  };
  const walk = (item: unknown, depth: number): void => {
    const scalar = scalarRepr(item);
    if (scalar !== undefined) return put(scalar);
    const isArray = Array.isArray(item);
    const entries: readonly (readonly [string, unknown])[] = isArray
      ? item.map((each: unknown) => ["", each] as const)
      : Object.entries(item as object).filter(([, each]) => each !== undefined);
    if (depth > 20) return put(isArray ? "[...]" : "{...}");
    put(isArray ? "[" : "{");
    for (const [index, [key, each]] of entries.entries()) {
      if (left <= 0) break;
      if (index > 0) put(", ");
      if (!isArray) put(`${strRepr(key)}: `);
      walk(each, depth + 1);
    }
    parts.push(isArray ? "]" : "}");
  };
  walk(value, 0);
  return parts.join("");
}

function objectRepr(value: object): string | undefined {
  if (value instanceof PyFloat) return floatRepr(value.value);
  if (value instanceof Date) return datetimeRepr(value);
  if (value instanceof Uint8Array) return bytesRepr(value);
  if (!(value instanceof PyValue)) return undefined;
  switch (value.type) {
    case "decimal":
      return `Decimal('${value.text}')`;
    case "uuid":
      return `UUID('${value.text}')`;
    case "date":
      return `datetime.date(${value.text.split("-").map(Number).join(", ")})`;
    case "time":
      return `datetime.time(${withoutZeros(value.text.split(/[:.]/).map(Number), 2).join(", ")})`;
    default:
      return value.text;
  }
}

/** `datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.timezone.utc)`; seconds and microseconds only when they are not zero. */
function datetimeRepr(value: Date): string {
  const text = value instanceof PyDateTime ? value.isoText : value.toISOString();
  const [, clock = "", zone = ""] = /^(.*?)(Z|[+-]\d{2}:?\d{2}(?::\d{2})?)?$/.exec(text) ?? [];
  const fields = clock.split(/[-T :.]/).map(Number);
  if (clock.includes("."))
    fields[6] = Number(
      clock
        .slice(clock.indexOf(".") + 1)
        .padEnd(6, "0")
        .slice(0, 6),
    );
  return `datetime.datetime(${withoutZeros(fields, 5).join(", ")}${zone === "" && value instanceof PyDateTime ? "" : tzinfo(zone)})`;
}

/** Python leaves out seconds and microseconds that are zero. */
function withoutZeros(fields: readonly number[], keep: number): readonly number[] {
  return fields.slice(0, Math.max(keep, fields.findLastIndex((field) => field !== 0) + 1));
}

function tzinfo(zone: string): string {
  const offset = (parseIso(`1970-01-02T00:00:00${zone}`) ?? 0) - 86_400_000;
  if (offset === 0) return ", tzinfo=datetime.timezone.utc";
  const seconds = -offset / 1_000;
  const days = seconds < 0 ? "days=-1, " : "";
  return `, tzinfo=datetime.timezone(datetime.timedelta(${days}seconds=${seconds < 0 ? seconds + 86_400 : seconds}))`;
}

function bytesRepr(bytes: Uint8Array): string {
  let body = "";
  for (const byte of bytes.subarray(0, 1_024)) {
    const char = String.fromCharCode(byte);
    body += byte > 126 || byte < 32 || char === "\\" ? (SHORT[char] ?? `\\x${byte.toString(16).padStart(2, "0")}`) : char;
  }
  return body.includes("'") && !body.includes('"') ? `b"${body}"` : `b'${body.replaceAll("'", "\\'")}'`;
}

function hexEscape(code: number): string {
  if (code < 0x1_00) return `\\x${code.toString(16).padStart(2, "0")}`;
  if (code < 0x1_00_00) return `\\u${code.toString(16).padStart(4, "0")}`;
  return `\\U${code.toString(16).padStart(8, "0")}`;
}
