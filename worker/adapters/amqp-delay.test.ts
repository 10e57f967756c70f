import * as fc from "fast-check";
import { expect, test } from "vitest";
import { enterLadder } from "./amqp-delay.ts";

const message = { exchange: "media", routingKey: "video", body: Buffer.alloc(0) };
const properties = { expiration: "5", headers: { id: "t", "x-death": [1], "ls-wait-0": 1, "ls-to": "old" } };

/** The wait that a message's headers add up to, ms: what the queues of the ladder do with them. */
function waitOf(headers: Readonly<Record<string, unknown>>, level: number): number {
  return Array.from({ length: level + 1 }, (_, at) => (headers[`ls-wait-${at}`] === 1 ? 50 * 2 ** at : 0)).reduce(
    (sum, wait) => sum + wait,
    0,
  );
}

test("a message waits as long as asked for, rounded up to one tick", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 40 }), (delayMs) => {
      const { level, entry } = enterLadder({ ...message, properties }, delayMs);
      const wait = waitOf(entry.properties.headers, level);
      expect(entry.exchange).toBe(`longshore.delay.${level}`);
      expect(wait).toBeGreaterThanOrEqual(delayMs);
      expect(wait).toBeLessThan(delayMs + 50 + (delayMs === 0 ? 1 : 0));
    }),
  );
});

test("traces of an earlier wait go, and so does the message's own expiry, which would end the wait early", () => {
  const { entry } = enterLadder({ ...message, properties }, 50);
  expect(entry).toMatchObject({ exchange: "longshore.delay.0", routingKey: "video", mandatory: true });
  expect(entry.properties).toEqual({ headers: { id: "t", "ls-wait-0": 1, "ls-to": "media" } });
});
