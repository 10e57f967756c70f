import { expect, test } from "vitest";
import { slotsFor } from "./erlang.ts";

test.for([
  ["no load needs no slot", 0, 10, 0.01, 0],
  ["what is not a number is no load", Number.NaN, 10, 0.01, 0],
  ["a patient objective needs little more than the load", 30, 30, 0.01, 31],
  ["no wait at all for 99 %: Erlang's C(n, 30) <= 1 %", 30, 0, 0.01, 45],
  // C(2, 1) = 1/3: two slots for one that is always busy on the mean.
  ["a third waits", 1, 0, 1 / 3 + 1e-9, 2],
  ["less than a third waits", 1, 0, 1 / 3 - 1e-9, 3],
] as const)("%s", ([, load, objective, share, slots]) => expect(slotsFor(load, objective, share)).toBe(slots));

test("a very large load is staffed by its square root", () => {
  expect(slotsFor(1e6, 0, 0.01)).toBe(1_003_000);
});
