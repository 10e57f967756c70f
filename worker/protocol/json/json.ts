import { JsonError } from "./json-error.ts";
import { readJson } from "./json-read.ts";
import { writeJson } from "./json-write.ts";
import type { Value } from "./value.ts";

export interface JsonLimits {
  /** Levels of arrays and objects. */
  readonly maxDepth: number;
  readonly maxBytes: number;
}

/** RabbitMQ 4 refuses larger messages by default; Python itself gives up at a depth near 1,000. */
const LIMITS: JsonLimits = { maxDepth: 512, maxBytes: 16 * 1024 * 1024 };

/** Text that `JSON.parse` reads as Python does not: typed values (also escaped), NaN, Infinity, long integers, `-0`. */
const NOT_PLAIN = /__type__|\\u00[0-7]|NaN|Infinity|\d{16}|-0/;
const WHOLE_FLOAT = /\d(?:\.|[eE][+-]?)\d/;

/**
 * Reads kombu's JSON (kombu/utils/json.py): typed values, NaN, Infinity, integers beyond 2^53 as bigint.
 * `exactFloats` reads a whole float as PyFloat, for what is passed on unseen. Never touches a prototype.
 * Throws JsonError for text that is wrong, too deep or too large.
 */
export function decodeJson(input: string | Uint8Array, options: Partial<JsonLimits> & { readonly exactFloats?: boolean } = {}): Value {
  const { maxDepth = LIMITS.maxDepth, maxBytes = LIMITS.maxBytes } = options;
  if (input.length > maxBytes) throw new JsonError("size", `${input.length} bytes, more than the ${maxBytes} that are taken`);
  const text = typeof input === "string" ? input : decodeUtf8(input);
  const exactFloats = options.exactFloats === true && WHOLE_FLOAT.test(text);
  if (!exactFloats && !NOT_PLAIN.test(text) && !nestsDeeper(text, maxDepth)) {
    try {
      return JSON.parse(text) as Value;
    } catch {
      // the slower reader says where it is wrong
    }
  }
  return readJson(text, maxDepth, exactFloats);
}

/**
 * Writes kombu's JSON, byte for byte as Python does: `{"a": [1, 2.5]}`. Dates, bytes and bigints become what Python reads as such.
 * A whole number is a Python int; use PyFloat for `1.0`. Throws JsonError for functions, symbols and values that contain themselves.
 */
export function encodeJson(value: unknown, maxDepth: number = LIMITS.maxDepth): string {
  return writeJson(value, maxDepth);
}

/** One for all texts: to make one costs as much as to decode a small text. */
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw new JsonError("syntax", "not UTF-8");
  }
}

/** Whether a text that is JSON is nested deeper than `depth`; of one that is not, it says anything. */
function nestsDeeper(text: string, depth: number): boolean {
  let level = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) {
      at = endOfString(text, at);
      if (at < 0) return true;
    } else if (unit === 91 || unit === 123) {
      level += 1;
      if (level > depth) return true;
    } else if (unit === 93 || unit === 125) level -= 1;
  }
  return false;
}

const QUOTE = 34;
const BACKSLASH = 92;

/** The closing quote of the string that begins at `start`; -1 when there is none. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return end;
  }
  return -1;
}
