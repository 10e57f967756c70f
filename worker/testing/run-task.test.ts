import { expect, test } from "vitest";
import * as z from "zod";
import { signature } from "../client/signature.ts";
import { defineTask } from "../tasks/define-task.ts";
import { Reject, Retry } from "../tasks/outcomes.ts";
import { fakeClock, runOnce, runToEnd } from "./index.ts";

const add = defineTask({ name: "t.add", kwargs: z.object({ x: z.number(), y: z.number() }), run: ({ x, y }) => x + y });
const patient = defineTask({
  name: "t.patient",
  softTimeLimit: 3_600,
  timeLimit: 4_000,
  run: (_, { signal }) => new Promise((_ok, fail) => signal.addEventListener("abort", () => fail(signal.reason))),
});

test("arguments are checked as in the worker, positional ones too", async () => {
  expect((await runOnce(add, { args: [1], kwargs: { y: 2 } })).value).toBe(3);
  const wrong = await runOnce(add, { kwargs: { x: "1", y: 2 } });
  expect(wrong.outcome).toMatchObject({
    kind: "failure",
    error: { exc_type: "TypeError", exc_message: [expect.stringContaining("kwargs.x")] },
  });
});

test("an hour's limit passes at once on a fake clock", async () => {
  const clock = fakeClock();
  const run = runOnce(patient, { clock });
  await clock.advance(3_600_000);
  expect((await run).outcome).toMatchObject({ kind: "failure", error: { exc_type: "SoftTimeLimitExceeded" } });
});

test("retries go on to the end, with the waits of Celery's backoff", async () => {
  const flaky = defineTask({
    name: "t.flaky",
    retryBackoff: 2,
    retryJitter: false,
    run(_, { retries }) {
      if (retries < 3) throw new Retry("again");
      return retries;
    },
  });
  expect(await runToEnd(flaky)).toMatchObject({ value: 3, waits: [2_000, 4_000, 8_000] });
});

test("effects, progress, logs and what is sent are recorded", async () => {
  const busy = defineTask({
    name: "t.busy",
    async run(_, { effect, progress, log, send }) {
      await progress({ percent: 50 });
      await effect();
      log.info({ step: 2 }, "half way");
      return send(signature("t.next", [1]));
    },
  });
  const run = await runOnce(busy);
  expect(run).toMatchObject({
    effects: 1,
    progress: [{ percent: 50 }],
    log: [{ level: "info", fields: { step: 2 }, sentence: "half way" }],
    sent: [{ id: run.value, task: "t.next", args: [1] }],
  });
});

test.for<[why: string, how: (signal: AbortSignal) => object, want: object]>([
  ["a worker that stops puts it back", (stopping) => ({ stopping }), { kind: "reject", requeue: true }],
  ["a lost lease ends it without a result", (leaseLost) => ({ leaseLost }), { kind: "lost" }],
])("%s", async ([, how, want]) => {
  const stop = new AbortController();
  const run = runOnce(patient, how(stop.signal));
  stop.abort();
  expect((await run).outcome).toMatchObject(want);
});

test("in doubt, reconcile answers in place of the task", async () => {
  const paid = defineTask({ name: "t.pay", mode: "at-least-once", reconcile: () => "was paid", run: () => "paid" });
  expect((await runOnce(paid, { inDoubt: true })).value).toBe("was paid");
  expect((await runOnce(paid)).value).toBe("paid");
});

test("a value that no message can carry is a failure, as in the worker; a refusal is one that is seen", async () => {
  const odd = defineTask({ name: "t.odd", run: () => () => 1 });
  expect((await runOnce(odd)).outcome.kind).toBe("failure");
  const refuse = defineTask({
    name: "t.refuse",
    run(): never {
      throw new Reject("not mine");
    },
  });
  expect((await runOnce(refuse)).outcome).toMatchObject({ kind: "reject", requeue: false, reason: "not mine" });
});

test("a task whose effect was committed before ends with what it was then", async () => {
  const rows = new Map<unknown, unknown>();
  /** What Postgres answers to the two statements of `commitIn`; the real one is in test/contract. */
  const transaction = {
    async query(_text: string, [key, , result]: unknown[]) {
      if (result === undefined) return { rows: [{ result: rows.get(key) }] };
      if (rows.has(key)) return { rows: [] };
      rows.set(key, result);
      return { rows: [{ key }] };
    },
  };
  let runs = 0;
  const pay = defineTask({
    name: "t.pay",
    async run(_, { commitIn }) {
      runs += 1;
      const receipt = { number: runs };
      await commitIn(transaction, receipt);
      return receipt;
    },
  });
  const call = { taskId: "same" };
  expect((await runOnce(pay, call)).value).toEqual({ number: 1 });
  expect((await runOnce(pay, call)).value).toEqual({ number: 1 });
  expect(runs).toBe(2);
});
