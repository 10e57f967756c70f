import { expect, test } from "vitest";
import { queueEntries } from "./inputs.ts";
import type { WorkerPool } from "./schema.ts";

const read = (queues: readonly unknown[]) => queueEntries({ spec: { queues } as unknown as WorkerPool["spec"] });

test("a name weighs 1, a map says its weight", () => {
  expect(read(["a", { name: "b", weight: 0 }, { name: "c" }])).toEqual({
    queues: [
      { name: "a", weight: 1 },
      { name: "b", weight: 0 },
      { name: "c", weight: 1 },
    ],
  });
});

const wrong: readonly [why: string, entry: unknown, problem: string][] = [
  ["a number", 5, "spec.queues[1] is 5; it must be a queue's name, or {name, weight}"],
  ["a map without a name", { weight: 1 }, 'spec.queues[1] is {"weight":1}; it must be a queue\'s name, or {name, weight}'],
  [
    "a misspelt field",
    { name: "b", wieght: 1 },
    'spec.queues[1] is {"name":"b","wieght":1}; it must be a queue\'s name, or {name, weight}',
  ],
  [
    "a negative weight",
    { name: "b", weight: -1 },
    'spec.queues[1] is {"name":"b","weight":-1}; it must be a queue\'s name, or {name, weight}',
  ],
  ["a comma, which parts the worker's list", "b,c", 'spec.queues[1] is "b,c"; a worker cannot consume a queue with a comma in its name'],
  ["the same queue twice", { name: "a" }, 'spec.queues[1] is "a", as spec.queues[0] is already'],
];
test.for(wrong)("refuses %s", ([, entry, problem]) => expect(read(["a", entry])).toEqual({ problem }));
