import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createEventHeap } from "./event-heap.ts";

test("events come back earliest first, and none before its time", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 1_000 })), fc.integer({ min: 0, max: 1_000 }), (times, until) => {
      const heap = createEventHeap();
      for (const at of times) heap.push({ at });
      const taken: number[] = [];
      for (let event = heap.popUntil(until); event !== undefined; event = heap.popUntil(until)) taken.push(event.at);
      expect(taken).toEqual(times.filter((at) => at <= until).sort((a, b) => a - b));
      expect(heap.next()).toBe(Math.min(Number.POSITIVE_INFINITY, ...times.filter((at) => at > until)));
    }),
  );
});
