import { expect, test } from "vitest";
import { encodeTask } from "../protocol/encode-task.ts";
import { decodeTask } from "../protocol/message.ts";
import type { TaskMessage } from "../protocol/task-message.ts";
import type { Outcome } from "./outcome.ts";
import { parkedBusy, type Settlement, settle } from "./settle.ts";

const NOW = 1_700_000_000_000;
const { properties, body } = encodeTask({
  id: "t",
  name: "shop.pay",
  args: [1],
  origin: "test",
  retries: 1,
  headers: { "x-death": [{}], tenant: "a" },
});
const decoded = decodeTask({ properties, body });
if (decoded.kind !== "task") throw new Error(decoded.reason);
const task: TaskMessage = decoded.task;
const facts = { now: NOW, queue: "q", properties };
const error = { exc_type: "ValueError", exc_message: ["bad"], exc_module: "builtins" };

const cases: readonly [why: string, outcome: Outcome, want: Partial<Settlement>][] = [
  [
    "a success is committed, then acknowledged",
    { kind: "success", value: 3 },
    { lease: "commit", broker: "ack", event: "task-succeeded", result: expect.objectContaining({ state: "SUCCESS", result: 3 }) },
  ],
  [
    "a failure is final",
    { kind: "failure", error },
    { lease: "kill", broker: "ack", event: "task-failed", result: expect.objectContaining({ state: "FAILURE", error }) },
  ],
  [
    "a retry frees the work for the next attempt only",
    { kind: "retry", delayMs: 500, error },
    { lease: "release", nextAttempt: 2, broker: "ack", result: expect.objectContaining({ state: "RETRY", error }) },
  ],
  [
    "a reject is dead-lettered and may be sent again from there",
    { kind: "reject", requeue: false, reason: "no" },
    { lease: "release", nextAttempt: 1, broker: "drop", event: "task-rejected" },
  ],
  ["a requeue stores nothing", { kind: "reject", requeue: true, reason: "" }, { lease: "release", broker: "requeue", out: [] }],
  [
    "an ignored task stores nothing and never runs again",
    { kind: "ignore" },
    { lease: "commit", broker: "ack", out: [], event: undefined },
  ],
  [
    "a revoked task says so",
    { kind: "revoked", reason: "expired" },
    { broker: "ack", event: "task-revoked", result: expect.objectContaining({ state: "REVOKED" }) },
  ],
  ["whoever lost the lease asks again later, and touches no record", { kind: "lost" }, { lease: "none", broker: "ack", event: undefined }],
];
test.for(cases)("%s", ([, outcome, want]) => expect(settle(task, outcome, facts)).toMatchObject(want));

test("a failure that does not acknowledge may be sent again from the dead letters, unless its effect may have happened", () => {
  const dead = { ...facts, dropFailure: true };
  expect(settle(task, { kind: "failure", error }, dead)).toMatchObject({ lease: "release", broker: "drop", event: "task-failed" });
  const unknown = { ...error, exc_type: "EffectUnknown" };
  expect(settle(task, { kind: "failure", error: unknown }, dead)).toMatchObject({ lease: "kill", broker: "drop" });
});

test("what was acknowledged before it ran is sent anew instead of requeued", () => {
  const [out] = settle(task, { kind: "reject", requeue: true, reason: "" }, { ...facts, acknowledged: true }).out;
  expect(out).toMatchObject({ message: { exchange: "", routingKey: "q", body, properties: { headers: { id: "t", retries: 1 } } } });
});

test("a retry is Celery's message: same id and body, one retry more, straight to its queue after the wait, without dead-letter headers", () => {
  const [out] = settle(task, { kind: "retry", delayMs: 500, error }, facts).out;
  expect(out).toMatchObject({ delayMs: 500, message: { exchange: "", routingKey: "q", body } });
  const { headers } = out?.message.properties ?? { headers: {} };
  expect(headers).toMatchObject({ id: "t", retries: 2, parent_id: "t", tenant: "a", eta: "2023-11-14T22:13:20.500000+00:00" });
  expect(headers).not.toHaveProperty("x-death");
});

test("a busy duplicate waits twice as long each time, never beyond the lease or five seconds", () => {
  const delayAfter = (count: number, leaseLeftMs: number) =>
    parkedBusy({ ...task, headers: { ...task.headers, "longshore-parked": count } }, facts, leaseLeftMs).delayMs;
  expect([0, 1, 2].map((count) => delayAfter(count, 30_000))).toEqual([100, 200, 400]);
  expect(delayAfter(9, 30_000)).toBe(5_000);
  expect(delayAfter(9, 700)).toBe(700);
  expect(delayAfter(0, 1)).toBe(100);
});
