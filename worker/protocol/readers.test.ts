import { expect, test } from "vitest";
import { asMessage, type MessageVector, readVectors } from "../../test/vectors/load.ts";
import { JsonError } from "./json/json-error.ts";
import { PyFloat, PyValue } from "./json/value.ts";
import { decodeTask } from "./message.ts";
import { decodeMsgpack } from "./msgpack.ts";
import { BODY_READERS } from "./readers.ts";
import { decodeYaml } from "./yaml-body.ts";

const rows = readVectors<MessageVector>("messages");
const decode = (name: string) =>
  rows.filter((row) => row.name === name).map((row) => decodeTask(asMessage(row), { readers: BODY_READERS }));

test("reads a task in msgpack", () => {
  const found = decode("msgpack");
  expect(found).toHaveLength(2);
  for (const task of found)
    expect(task).toMatchObject({
      kind: "task",
      task: { args: [{ a: [1, 2.5, null, true, "ü", 2 ** 40, -5, new Uint8Array([255])] }], kwargs: {}, callbacks: [] },
    });
});

test("reads a task in YAML", () => {
  const found = decode("yaml");
  expect(found).toHaveLength(2);
  for (const task of found) expect(task).toMatchObject({ kind: "task", task: { args: [{ a: [1, 2.5, null, true, "ü"] }], kwargs: {} } });
});

test("refuses both where they were not asked for", () => {
  for (const row of rows.filter(({ name }) => ["msgpack", "yaml"].includes(name))) {
    expect(decodeTask(asMessage(row))).toMatchObject({ kind: "malformed", code: "content-type" });
  }
});

test.for<[yaml: string, want: unknown]>([
  ["1152921504606846976", 2n ** 60n],
  ["[1, 2.5, 1.0]", [1, 2.5, 1]],
  ["2026-01-02", new PyValue("date", "2026-01-02")],
  ["2026-01-02 03:04:05Z", new Date("2026-01-02T03:04:05Z")],
])("YAML: %s", ([yaml, want]) => expect(decodeYaml(Buffer.from(yaml))).toEqual(want));

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"));
const values: readonly [why: string, bytes: string, want: unknown][] = [
  ["a negative fixint", "ff", -1],
  ["a wide integer", "cf ffffffffffffffff", 2n ** 64n - 1n],
  ["a wide integer that fits", "d3 fffffffffffffffe", -2],
  ["a float32", "ca 3fc00000", 1.5],
  ["a str8", "d9 02 6869", "hi"],
  ["a map16", "de 0001 a161 01", { a: 1 }],
  ["a timestamp of 4 bytes", "d6 ff 00000001", new Date(1_000)],
  ["a timestamp of 8 bytes", "d7 ff 773594 00 00000001", new Date(1_500)],
  ["a key that is a number", "81 01 02", { 1: 2 }],
];
test.for(values)("msgpack: %s", ([, bytes, want]) => expect(decodeMsgpack(hex(bytes))).toEqual(want));
test("msgpack: a whole float, told apart", () => expect(decodeMsgpack(hex("cb 3ff0000000000000"), true)).toEqual(new PyFloat(1)));

const wrong: readonly [why: string, bytes: Uint8Array][] = [
  ["nothing", hex("")],
  ["a list of four billion", hex("dd ffffffff")],
  ["a map of four billion", hex("df ffffffff")],
  ["a text that ends early", hex("d9 ff 61")],
  ["a text that is not UTF-8", hex("a1 ff")],
  ["an extension", hex("d4 05 00")],
  ["the type that is never used", hex("c1")],
  ["a list as a key", hex("81 90 01")],
  ["more after the end", hex("01 02")],
  ["a thousand levels", new Uint8Array(1_000).fill(0x91)],
];
test.for(wrong)("msgpack: %s is refused", ([, bytes]) => expect(() => decodeMsgpack(bytes)).toThrow(JsonError));

test("msgpack: a key named __proto__ is data", () => {
  const value = decodeMsgpack(new Uint8Array([0x81, 0xa9, ...Buffer.from("__proto__"), 0x80]));
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
});

test.for(["a: [", "a: &x 1\nb: *x", "!!python/object:os.system {}", "- !!js/function 'x'", "a: 1\na: 2", "x".repeat(2_000_000)])(
  "YAML: %s is refused",
  (text) => {
    expect(() => decodeYaml(Buffer.from(text))).toThrow(JsonError);
  },
);
