import { expect, test } from "vitest";
import * as z from "zod";
import { asException, encodeException, exceptionRepr, type PyException } from "./exception.ts";

class Declined extends Error {
  readonly pyClass = "shop.errors.PaymentDeclined";
  readonly pyArgs = ["card", 42, new Date(0), Symbol("x")];
}
class Mine extends Error {}
const zod = z.object({ x: z.number() }).safeParse({ x: "a" }).error;
const gone = Object.assign(new Error("no file"), { code: "ENOENT" });

const cases: readonly [why: string, error: unknown, type: string, module: string, message: unknown][] = [
  ["an Error", new Error("no"), "Exception", "builtins", ["no"]],
  ["a TypeError", new TypeError("no"), "TypeError", "builtins", ["no"]],
  ["a RangeError", new RangeError("no"), "ValueError", "builtins", ["no"]],
  ["a class of the user's own", new Mine("no"), "Mine", "longshore", ["no"]],
  ["a missing file", gone, "FileNotFoundError", "builtins", ["no file"]],
  ["a time that ran out", AbortSignal.abort(new DOMException("late", "TimeoutError")).reason, "TimeoutError", "builtins", ["late"]],
  ["arguments that do not fit", zod, "ValueError", "builtins", ["x: Invalid input: expected number, received string"]],
  ["a class with its Python twin", new Declined("x"), "PaymentDeclined", "shop.errors", ["card", 42, new Date(0), "<symbol>"]],
  ["a string", "no", "Exception", "builtins", ["no"]],
  ["null", null, "Exception", "builtins", ["None"]],
  ["undefined", undefined, "Exception", "builtins", ["None"]],
  [
    "an error with a name like a property of objects",
    Object.assign(new Error("no"), { name: "constructor" }),
    "constructor",
    "longshore",
    ["no"],
  ],
];
test.for(cases)("%s", ([, error, exc_type, exc_module, exc_message]) => {
  expect(encodeException(error)).toEqual({ exc_type, exc_module, exc_message });
});

test("prints as Python does", () => {
  const repr = (exc_message: PyException["exc_message"]): string =>
    exceptionRepr({ exc_type: "Outer.Inner", exc_message, exc_module: "m" });
  expect(repr([])).toBe("Inner()");
  expect(repr(["it's", 1, null])).toBe('Inner("it\'s", 1, None)');
});

test("reads what old Celery stored, and refuses what is none", () => {
  expect(asException({ exc_type: "E", exc_message: "text" })).toEqual({
    exc_type: "E",
    exc_message: ["text"],
    exc_module: "celery.exceptions",
  });
  for (const none of [null, 1, "E", {}, { exc_type: 1 }]) expect(asException(none)).toBeUndefined();
});
