import * as fc from "fast-check";
import { expect, test } from "vitest";
import { giverOf, planShares } from "./shares.ts";

test.for<[queues: number, slots: number, base: number, chunks: number[]]>([
  [1, 8, 8, []],
  [2, 1, 1, []],
  [2, 8, 1, [4, 3]],
  [3, 2, 1, [1]],
  [3, 10, 1, [3, 3, 3]],
])("%i queues, %i slots", ([queues, slots, base, chunks]) => {
  expect(planShares(queues, slots)).toEqual({ base, chunks });
});

test("any queue alone can fill every slot, and all together ask for little more", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 1_000 }), (queues, slots) => {
      const { base, chunks } = planShares(queues, slots);
      const extra = chunks.reduce((sum, size) => sum + size, 0);
      expect(base + extra).toBe(slots);
      expect(queues * base + extra).toBe(slots + queues - 1);
      expect(chunks.length).toBeLessThanOrEqual(queues);
    }),
  );
});

test("the one with the most to spare gives; one that uses its own, or has nothing to give, does not", () => {
  const line = (held: number, capacity: number, chunks: number) => ({ held, capacity, chunks });
  const taker = line(4, 4, 1);
  const spare = line(1, 5, 1);
  expect(giverOf(taker, [taker, line(3, 5, 1), spare, line(0, 1, 0), line(9, 9, 3)])).toBe(spare);
  expect(giverOf(taker, [taker, line(9, 9, 3), line(0, 1, 0)])).toBeUndefined();
});
