import { expect, test } from "vitest";
import { queueEntries } from "./inputs.ts";
import type { WorkerPool } from "./schema.ts";

const read = (queues: readonly unknown[], runtime = "longshore") =>
  queueEntries({ spec: { queues, runtime } as unknown as WorkerPool["spec"] });

test("a name weighs 1, a map says its weight", () => {
  expect(read(["a", { name: "b", weight: 0 }, { name: "c" }])).toEqual({
    queues: [
      { name: "a", weight: 1 },
      { name: "b", weight: 0 },
      { name: "c", weight: 1 },
    ],
    patterns: [],
  });
});

const wrong: readonly [why: string, entry: unknown, problem: string][] = [
  ["a number", 5, "spec.queues[1] is 5; it must be a queue's name, {name, weight} or {pattern, weight}"],
  [
    "a map without a name",
    { weight: 1 },
    'spec.queues[1] is {"weight":1}; it must be a queue\'s name, {name, weight} or {pattern, weight}',
  ],
  [
    "a misspelt field",
    { name: "b", wieght: 1 },
    'spec.queues[1] is {"name":"b","wieght":1}; it must be a queue\'s name, {name, weight} or {pattern, weight}',
  ],
  [
    "a negative weight",
    { name: "b", weight: -1 },
    'spec.queues[1] is {"name":"b","weight":-1}; it must be a queue\'s name, {name, weight} or {pattern, weight}',
  ],
  ["a comma, which parts the worker's list", "b,c", 'spec.queues[1] is "b,c"; a worker cannot consume a queue with a comma in its name'],
  ["the same queue twice", { name: "a" }, 'spec.queues[1] is "a", as spec.queues[0] is already'],
];
test.for(wrong)("refuses %s", ([, entry, problem]) => expect(read(["a", entry])).toEqual({ problem }));

test("a pattern is for an image that finds its queues by itself", () => {
  const entry = { pattern: "orders\\..*", weight: 2 };
  expect(read(["a", entry], "custom")).toEqual({ queues: [{ name: "a", weight: 1 }], patterns: [entry] });
  expect(read([entry])).toEqual({
    problem:
      'spec.queues[0].pattern is "orders\\\\..*"; workers of runtime longshore consume queues by name; name them, or use runtime custom',
  });
});
