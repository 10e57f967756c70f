import { expect, test } from "vitest";
import { type Letter, planRedrive, type RedriveFilter } from "./plan.ts";
import { redriveLetters } from "./run.ts";

const NOW = Date.UTC(2026, 0, 2);
const ours: Letter = {
  headers: {
    task: "payments.pay",
    id: "t",
    tenant: "a",
    "x-delivery-count": 3,
    "longshore-death-reason": "failed",
    "longshore-death-error": "ValueError('no')",
    "longshore-death-queue": "payments",
    "longshore-death-time": new Date(NOW - 60_000).toISOString(),
  },
};
const brokers: Letter = {
  headers: {
    task: "other.task",
    "x-death": [{ queue: "orders", reason: "rejected", time: { "!": "timestamp", value: (NOW - 60_000) / 1_000 } }],
    "x-first-death-queue": "orders",
  },
};
const plan = (letter: Letter, filter: Partial<RedriveFilter> = {}) => planRedrive(letter, { from: "dead", force: false, ...filter }, NOW);

test("a letter goes back to where it came from, with its own headers and a count, without its death", () => {
  expect(plan(ours)).toMatchObject({
    do: "send",
    queue: "payments",
    headers: { task: "payments.pay", id: "t", tenant: "a", "longshore-redriven": 1 },
  });
  expect(Object.keys((plan(ours) as { headers: object }).headers).filter((name) => /death|delivery-count/.test(name))).toEqual([]);
  expect(plan({ headers: { ...ours.headers, "longshore-redriven": 1 } })).toMatchObject({ headers: { "longshore-redriven": 2 } });
});

test.for<[why: string, letter: Letter, filter: Partial<RedriveFilter>, want: object]>([
  ["one that the broker buried", brokers, {}, { do: "send", queue: "orders", death: { reason: "rejected" } }],
  ["a task by pattern", ours, { task: "payments.*" }, { do: "send" }],
  ["another task", ours, { task: "payments" }, { do: "keep", why: "another task" }],
  ["a dot that is no pattern", ours, { task: "paymentsXpay" }, { do: "keep" }],
  ["another reason", ours, { reason: "rejected" }, { do: "keep", why: "another reason" }],
  ["another destination", ours, { to: "retry" }, { do: "send", queue: "retry" }],
  ["a circle", ours, { from: "payments" }, { do: "keep", why: expect.stringContaining("back into payments") }],
  ["one from nowhere", { headers: {} }, {}, { do: "keep", why: expect.stringContaining("--to") }],
  [
    "an old one",
    { headers: { ...ours.headers, "longshore-death-time": "2026-01-01T00:00:00Z" } },
    {},
    { do: "keep", why: expect.stringContaining("--force") },
  ],
  [
    "an old one by force",
    { headers: { ...ours.headers, "longshore-death-time": "2025-01-01T00:00:00Z" } },
    { force: true },
    { do: "send" },
  ],
])("%s", ([, letter, filter, want]) => expect(plan(letter, filter)).toMatchObject(want));

function queueOf(letters: readonly Letter[]) {
  const left = [...letters];
  const moved: string[] = [];
  return {
    moved,
    take: async () => left.shift(),
    move: async (_: Letter, queue: string) => void moved.push(queue),
    async [Symbol.asyncDispose]() {},
  };
}

test("no more are moved or looked at than allowed, and a dry run moves none", async () => {
  const filter = { from: "dead", force: false, task: "payments.*" };
  const run = async (bounds: { limit: number; scan: number; dryRun: boolean }) => {
    const queue = queueOf([brokers, ours, ours, brokers, ours]);
    const { moved, kept } = await redriveLetters(
      queue,
      filter,
      bounds,
      () => NOW,
      () => {},
    );
    return [moved, kept, queue.moved.length];
  };
  expect(await run({ limit: 2, scan: 100, dryRun: false })).toEqual([2, 1, 2]);
  expect(await run({ limit: 100, scan: 4, dryRun: false })).toEqual([2, 2, 2]);
  expect(await run({ limit: 100, scan: 100, dryRun: true })).toEqual([3, 2, 0]);
});
