import { JsonError } from "./json-error.ts";
import { reviveTyped } from "./json-typed.ts";
import { PyFloat, type Value } from "./value.ts";

/** Python refuses to convert longer integers (sys.int_info.default_max_str_digits). */
const MAX_INTEGER_DIGITS = 4_300;
const NUMBER = /-?(?:Infinity|(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?)/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const SPACE = /[ \t\n\r]*/y;
const ESCAPES: Readonly<Record<string, string>> = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/**
 * Reads what Python's `json.loads` reads: JSON, and `NaN`, `Infinity`, integers of any length (as bigint beyond 2^53).
 * `exactFloats` keeps a whole float apart from an integer. Throws JsonError.
 */
export function readJson(text: string, maxDepth: number, exactFloats: boolean): Value {
  let at = 0;

  const fail = (what: string): never => {
    throw new JsonError("syntax", `${what} at character ${at}`);
  };
  const skip = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? "";
    at += found.length;
    return found;
  };
  const word = <T>(literal: string, value: T): T => {
    if (!text.startsWith(literal, at)) fail("unexpected text");
    at += literal.length;
    return value;
  };

  function string(): string {
    at += 1;
    let out = skip(PLAIN);
    while (text[at] === "\\") {
      const escape = text[at + 1] ?? "";
      if (escape === "u") {
        const hex = text.slice(at + 2, at + 6);
        if (!/^[0-9a-fA-F]{4}$/.test(hex)) fail("invalid \\u escape");
        out += String.fromCharCode(Number.parseInt(hex, 16));
        at += 6;
      } else {
        out += ESCAPES[escape] ?? fail("invalid escape");
        at += 2;
      }
      out += skip(PLAIN);
    }
    if (text[at] !== '"') fail(at >= text.length ? "unterminated string" : "control character in a string");
    at += 1;
    return out;
  }

  function number(): Value {
    NUMBER.lastIndex = at;
    const match = NUMBER.exec(text);
    if (match === null) return fail("unexpected text");
    const [source, fraction, exponent] = match;
    at += source.length;
    const value = Number(source);
    if (fraction !== undefined || exponent !== undefined) return exactFloats && Number.isInteger(value) ? new PyFloat(value) : value;
    if (Number.isSafeInteger(value)) return value === 0 ? 0 : value;
    if (!Number.isFinite(value) && source.endsWith("y")) return value;
    if (source.length > MAX_INTEGER_DIGITS) throw new JsonError("number", `an integer of more than ${MAX_INTEGER_DIGITS} digits`);
    return BigInt(source);
  }

  function array(depth: number): Value {
    const items: Value[] = [];
    at += 1;
    skip(SPACE);
    if (text[at] === "]") return word("]", items);
    for (;;) {
      items.push(value(depth));
      if (text[at] === "]") return word("]", items);
      word(",", null);
    }
  }

  function object(depth: number): Value {
    const entries: { [key: string]: Value } = {};
    at += 1;
    skip(SPACE);
    if (text[at] === "}") return word("}", entries);
    for (;;) {
      skip(SPACE);
      if (text[at] !== '"') fail("expected a property name");
      const key = string();
      skip(SPACE);
      word(":", null);
      const item = value(depth);
      // An own property, never the prototype.
      if (key === "__proto__") Object.defineProperty(entries, key, { value: item, enumerable: true, writable: true, configurable: true });
      else entries[key] = item;
      if (text[at] === "}") return reviveTyped(word("}", entries));
      word(",", null);
    }
  }

  function one(depth: number): Value {
    switch (text[at]) {
      case "{":
      case "[":
        if (depth >= maxDepth) throw new JsonError("depth", `nested deeper than ${maxDepth}`);
        return text[at] === "{" ? object(depth + 1) : array(depth + 1);
      case '"':
        return string();
      case "t":
        return word("true", true);
      case "f":
        return word("false", false);
      case "n":
        return word("null", null);
      case "N":
        return word("NaN", Number.NaN);
      default:
        return number();
    }
  }

  function value(depth: number): Value {
    skip(SPACE);
    const found = one(depth);
    skip(SPACE);
    return found;
  }

  const found = value(0);
  if (at < text.length) fail("text after the end");
  return found;
}
