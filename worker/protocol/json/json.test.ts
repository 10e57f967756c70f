import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readVectors } from "../../../test/vectors/load.ts";
import { decodeJson, encodeJson } from "./json.ts";
import { JsonError } from "./json-error.ts";
import { readJson } from "./json-read.ts";
import { PyDateTime, PyFloat, PyValue, type Value } from "./value.ts";

test.for(readVectors<{ json: string }>("values").map(({ json }) => json))(
  "reads and writes back byte for byte what Python wrote: %s",
  (json) => {
    expect(encodeJson(decodeJson(json, { exactFloats: true }))).toBe(json);
  },
);

const leaf: fc.Arbitrary<Value> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.double().filter((value) => !Number.isInteger(value)),
  fc.bigInt().filter((value) => !Number.isSafeInteger(Number(value))),
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  fc.uint8Array().map((bytes) => new Uint8Array(bytes)),
  fc.date({ noInvalidDate: true, min: new Date("0001-01-01"), max: new Date("9999-12-31") }),
  fc.uuid().map((uuid) => new PyValue("uuid", uuid)),
  fc.integer().map((value) => new PyFloat(value)),
);
const value = fc.letrec<{ any: Value }>((tie) => ({
  any: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie("any")), fc.dictionary(fc.string(), tie("any"))),
})).any;

test("whatever a message can carry comes back as it was", () => {
  fc.assert(
    fc.property(value, (given) => {
      const text = encodeJson(given);
      const back = decodeJson(text, { exactFloats: true });
      expect(encodeJson(back)).toBe(text);
      expect(/^[\u0000-\u007f]*$/.test(text)).toBe(true);
    }),
  );
});

test("the fast way and the careful one read the same", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), (text) => {
      expect(decodeJson(text)).toEqual(readJson(text, 512, false));
    }),
  );
});

const read: readonly [why: string, text: string, want: unknown][] = [
  [
    "a datetime is a Date",
    '{"__type__": "datetime", "__value__": "2026-01-02T03:04:05.678901+00:00"}',
    new PyDateTime("2026-01-02T03:04:05.678901+00:00"),
  ],
  ["bytes are bytes", '{"__type__": "bytes", "__value__": "a\\u00fc"}', new Uint8Array([97, 195, 188])],
  ["base64 is bytes", '{"__type__": "base64", "__value__": "/wA="}', new Uint8Array([255, 0])],
  ["an escaped marker is a marker", '{"__typ\\u0065__": "date", "__value__": "2026-01-02"}', new PyValue("date", "2026-01-02")],
  [
    "a third key makes it an object",
    '{"__type__": "date", "__value__": "2026-01-02", "x": 1}',
    { __type__: "date", __value__: "2026-01-02", x: 1 },
  ],
  ["2^53 is a bigint", "[9007199254740991, 9007199254740992]", [9007199254740991, 9007199254740992n]],
  [
    "numbers that JSON lacks",
    "[NaN, Infinity, -Infinity, 1e999]",
    [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  ],
  ["a whole float is a number", "[1.0, 1e3, -0]", [1, 1000, 0]],
  ["brackets in a text are not depth", `"\\\\\\"${"[".repeat(600)}"`, `\\"${"[".repeat(600)}`],
  ["a long list is not deep", `[${"[],".repeat(600)}[]]`, Array.from({ length: 601 }, () => [])],
  ["the last of two equal keys wins", '{"a": 1, "a": 2}', { a: 2 }],
];
test.for(read)("%s", ([, text, want]) => expect(decodeJson(text)).toEqual(want));

test("a key named __proto__ is data", () => {
  for (const text of ['{"__proto__": {"admin": true}}', '{"__proto__": {"admin": true}, "n": NaN}']) {
    const back = decodeJson(text);
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
    expect(back).not.toHaveProperty("admin");
    expect(encodeJson(back).startsWith('{"__proto__": {"admin": true}')).toBe(true);
  }
});

const refused: readonly [code: JsonError["code"], text: string][] = [
  ["syntax", ""],
  ["syntax", "{'a': 1}"],
  ["syntax", "[1,]"],
  ["syntax", "[01]"],
  ["syntax", "[1] 2"],
  ["syntax", '"a\nb"'],
  ["syntax", '"\\x41"'],
  ["syntax", '"\\u00g0"'],
  ["syntax", '"open'],
  ["syntax", "nul"],
  ["syntax", "+1"],
  ["depth", "[".repeat(100_000)],
  ["depth", `${"[".repeat(513)}${"]".repeat(513)}`],
  ["depth", '{"a":'.repeat(1_000)],
  ["number", "9".repeat(5_000)],
  ["size", `"${"x".repeat(70_000)}"`],
  ["typed-value", '{"__type__": "set", "__value__": []}'],
  ["typed-value", '{"__type__": "toString", "__value__": []}'],
  ["typed-value", '{"__type__": "datetime", "__value__": "2026-02-30T00:00:00"}'],
  ["typed-value", '{"__type__": "uuid", "__value__": {"hex": "12"}}'],
  ["typed-value", '{"__type__": "base64", "__value__": "*"}'],
];
test.for(refused)("refuses with the code %s what is no message", ([code, text]) => {
  let error: unknown;
  try {
    decodeJson(text, { maxBytes: 65_536 + 40_000 * (code === "depth" ? 1 : 0) });
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(JsonError);
  expect(error).toHaveProperty("code", code);
});

test("bytes that are no UTF-8 are refused", () => {
  expect(() => decodeJson(new Uint8Array([34, 255, 34]))).toThrow("not UTF-8");
});

test("what cannot be written says where it is", () => {
  const loop: unknown[] = [];
  loop.push(loop);
  expect(() => encodeJson({ a: [() => 1] })).toThrow("$.a[0] is a function");
  expect(() => encodeJson(loop)).toThrow("contains itself");
  expect(() => encodeJson(new Date(Number.NaN))).toThrow("invalid Date");
  expect(encodeJson({ a: undefined, b: [undefined], c: new Map([["k", new Set([1n])]]) })).toBe('{"b": [null], "c": {"k": [1]}}');
});

test("the deepest that is taken is read and written", () => {
  const deepest = `${"[".repeat(512)}${"]".repeat(512)}`;
  expect(encodeJson(decodeJson(deepest))).toBe(deepest);
});

test("a date that was changed is written as it is now", () => {
  const date = new PyDateTime("2026-01-02T03:04:05.678901+05:30");
  expect(encodeJson(date)).toContain("05.678901+05:30");
  date.setUTCFullYear(2027);
  expect(encodeJson(date)).toContain('"2027-01-01T21:34:05.678000+00:00"');
});
