import { expect, test } from "vitest";
import { unsayableIn } from "./unsayable.ts";

const spec = (given: object) => ({ spec: { brokerRef: { name: "rabbitmq" }, deletionPolicy: "Delete", arguments: given } as const });

test.each([
  [{ "x-max-length-bytes": 1_000_000_000, f: 1.5, big: 9_007_199_254_740_991, list: [1, { a: true }], huge: 1e300 }, undefined],
  [{ "x-huge": 9_007_199_254_740_992 }, "spec.arguments.x-huge is 9007199254740992 or near it: whole numbers are exact up to 2^53 only"],
  [{ "x-list": [1, { a: null }] }, "spec.arguments.x-list[1].a holds a null, which no broker takes"],
])("%j", (given, found) => {
  expect(unsayableIn(spec(given), [])).toBe(found);
});

test("a quantity that is beyond what is exact is found in what it becomes", () => {
  const queue = { type: "queue", name: "q", kind: "classic", durable: true, autoDelete: false, exclusive: false } as const;
  const wanted = { ...queue, arguments: { "x-max-length-bytes": 99_999_999 * 2 ** 40 } };
  expect(unsayableIn(spec({}), [wanted])).toContain("queue.arguments.x-max-length-bytes");
});
