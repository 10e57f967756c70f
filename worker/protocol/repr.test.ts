import { expect, test } from "vitest";
import { readVectors } from "../../test/vectors/load.ts";
import { decodeJson } from "./json/json.ts";
import { pyRepr } from "./repr.ts";
import { saferepr } from "./saferepr.ts";

const rows = readVectors<{ json: string; repr?: string; saferepr: string; tuple?: boolean }>("values");

test.for(rows.filter(({ repr }) => repr !== undefined))("reads like Python's repr: $repr", ({ json, repr }) => {
  expect(pyRepr(decodeJson(json, { exactFloats: true }), 1e9)).toBe(repr);
});

test.for(rows)("reads like Celery's saferepr: $saferepr", ({ json, saferepr: want, tuple = false }) => {
  expect(saferepr(decodeJson(json, { exactFloats: true }), { tuple })).toBe(want);
});

test("a bound holds, and deep or endless values end", () => {
  const loop: unknown[] = [];
  loop.push(loop);
  expect(pyRepr("x".repeat(9_999), 100).length).toBeLessThan(110);
  expect(
    pyRepr(
      Array.from({ length: 9_999 }, () => "word"),
      100,
    ).length,
  ).toBeLessThan(110);
  expect(pyRepr(loop).length).toBeLessThan(100);
  expect(saferepr(new Uint8Array(1_000_000)).length).toBeLessThan(2_100);
});
