import { expect, test } from "vitest";
import { audit } from "./audit.ts";
import type { Entry } from "./ledger.ts";

const hello: Entry = { event: "hello", pod: "a", at: 0 };
const start = (task: string, redelivered = false): Entry => ({ event: "start", pod: "a", at: 1, task, redelivered });
const end = (task: string): Entry => ({ event: "end", pod: "a", at: 2, task });
const told = (busy = 0): Entry => ({ event: "told", pod: "a", at: 3, busy });
const gone: Entry = { event: "gone", pod: "a", at: 4 };
const clean = { ended: 1, killedOrRedelivered: [], killedOrTwice: [], busyWhenTold: [], untold: [], told: 1 };

const cases: readonly [why: string, entries: readonly Entry[], want: Partial<ReturnType<typeof audit>>][] = [
  ["a worker that ends its task before it is told to stop", [hello, start("t"), end("t"), told(), gone], {}],
  ["told while it works: busy, and the task is saved", [hello, start("t"), told(1), end("t"), gone], { busyWhenTold: ["a"] }],
  ["told while it works, by its starts and ends alone", [hello, start("t"), told(0), end("t"), gone], { busyWhenTold: ["a"] }],
  ["a task begun after it was told", [hello, told(), start("t"), end("t"), gone], { busyWhenTold: ["a"] }],
  [
    "killed with its task",
    [hello, start("t"), told(1), gone],
    { ended: 0, killedOrRedelivered: ["t"], killedOrTwice: ["t"], busyWhenTold: ["a"] },
  ],
  ["killed without a word", [hello, start("t"), end("t"), gone], { untold: ["a"], told: 0 }],
  ["a task that came before", [hello, start("t", true), end("t"), told(), gone], { killedOrRedelivered: ["t"] }],
  [
    "a task that began before",
    [hello, start("t"), start("t", true), end("t"), told(), gone],
    { killedOrRedelivered: ["t"], killedOrTwice: ["t"] },
  ],
  ["a task that runs still", [hello, start("t")], { ended: 0, told: 0 }],
];

test.for(cases)("%s", ([, entries, want]) => {
  expect(audit(entries)).toEqual({ ...clean, ...want });
});
