import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createHeap } from "./heap.ts";

test("gives back everything that is due, earliest first, and nothing else", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 50 })), fc.integer({ min: 0, max: 50 }), (times, now) => {
      const heap = createHeap<number>();
      for (const time of times) heap.push(time, time);
      const taken: number[] = [];
      for (let one = heap.take(now); one !== undefined; one = heap.take(now)) taken.push(one);
      expect(taken).toEqual(times.filter((time) => time <= now).toSorted((a, b) => a - b));
      expect(heap.nextAt).toBe(times.filter((time) => time > now).toSorted((a, b) => a - b)[0]);
    }),
  );
});
