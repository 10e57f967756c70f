import { expect, test } from "vitest";
import { LeaseLost } from "../leases/keeper.ts";
import { encodeTask } from "../protocol/encode-task.ts";
import { decodeTask } from "../protocol/message.ts";
import { Ignore, Reject, Retry } from "../tasks/outcomes.ts";
import { admit } from "./admit.ts";
import { retryDelayMs, SoftTimeLimit, TaskRevoked, toOutcome, WorkerStopping } from "./failure.ts";
import type { Outcome } from "./outcome.ts";

const taskAt = (retries: number, more: object = {}) => {
  const decoded = decodeTask(encodeTask({ id: "t", name: "n", origin: "test", retries, ...more }));
  if (decoded.kind !== "task") throw new Error(decoded.reason);
  return decoded.task;
};
class Busy extends Error {}
const policy = { mode: "at-most-once", autoretryFor: [Busy], retryBackoff: 2, retryJitter: false } as const;
const calm = { signal: new AbortController().signal, effectBegun: false, redelivered: false, random: () => 0.5 };
const aborted = (reason: Error) => ({ ...calm, signal: AbortSignal.abort(reason) });
const stopping = new WorkerStopping("grace");
const soft = new SoftTimeLimit("5 s");

const cases: readonly [why: string, got: () => Outcome, want: object][] = [
  [
    "any error is a failure with its stack",
    () => toOutcome(new RangeError("bad"), taskAt(0), policy, calm),
    { kind: "failure", error: { exc_type: "ValueError" }, traceback: expect.stringContaining("bad") },
  ],
  ["Retry with its own delay", () => toOutcome(new Retry("x", { delayMs: 7 }), taskAt(0), policy, calm), { kind: "retry", delayMs: 7 }],
  ["an error of autoretryFor backs off", () => toOutcome(new Busy("x"), taskAt(1), policy, calm), { kind: "retry", delayMs: 4_000 }],
  [
    "the last attempt fails with its cause",
    () => toOutcome(new Retry("x", { cause: new Busy("b") }), taskAt(3), policy, calm),
    { kind: "failure", error: { exc_type: "Busy" } },
  ],
  [
    "the last attempt without a cause",
    () => toOutcome(new Retry("x"), taskAt(3), policy, calm),
    { kind: "failure", error: { exc_type: "MaxRetriesExceededError" } },
  ],
  ["null means for ever", () => toOutcome(new Retry("x", { maxRetries: null, delayMs: 1 }), taskAt(99), policy, calm), { kind: "retry" }],
  ["Reject", () => toOutcome(new Reject("no"), taskAt(0), policy, calm), { kind: "reject", requeue: false, reason: "no" }],
  ["Ignore", () => toOutcome(new Ignore(), taskAt(0), policy, calm), { kind: "ignore" }],
  ["a lost lease, whatever was thrown", () => toOutcome(new Error("x"), taskAt(0), policy, aborted(new LeaseLost())), { kind: "lost" }],
  [
    "stopped before the effect: runs elsewhere",
    () => toOutcome(stopping, taskAt(0), policy, aborted(stopping)),
    { kind: "reject", requeue: true },
  ],
  [
    "stopped after the effect began: honest, not repeated",
    () => toOutcome(stopping, taskAt(0), policy, { ...aborted(stopping), effectBegun: true, redelivered: false }),
    { kind: "failure", error: { exc_type: "EffectUnknown" } },
  ],
  [
    "its own error while stopping stays its own",
    () => toOutcome(new RangeError("own"), taskAt(0), policy, aborted(stopping)),
    { kind: "failure", error: { exc_message: ["own"] } },
  ],
  [
    "a soft limit seen as AbortError",
    () => toOutcome(new DOMException("x", "AbortError"), taskAt(0), policy, aborted(soft)),
    { kind: "failure", error: { exc_type: "SoftTimeLimitExceeded" } },
  ],
  [
    "terminated by remote control",
    () => toOutcome(new Error("x"), taskAt(0), policy, aborted(new TaskRevoked())),
    { kind: "revoked", reason: "terminated" },
  ],
  ["a thrown null", () => toOutcome(null, taskAt(0), policy, calm), { kind: "failure" }],
];
test.for(cases)("%s", ([, got, want]) => expect(got()).toMatchObject(want));

test("backoff doubles up to its cap, and jitter takes a share of it", () => {
  expect([0, 1, 2, 20].map((retries) => retryDelayMs({ retryBackoff: true, retryJitter: false }, retries, () => 0))).toEqual([
    1_000, 2_000, 4_000, 600_000,
  ]);
  expect(retryDelayMs({ retryBackoff: true }, 1, () => 0.25)).toBe(500);
  expect(retryDelayMs({}, 5, () => 0)).toBe(180_000);
});

test("revoked and expired tasks never start, later ones wait, and a moment is not worth a trip", () => {
  const now = 1_000_000;
  const never = () => false;
  expect(admit(taskAt(0), now, () => true)).toEqual({ kind: "revoked", reason: "revoked" });
  expect(admit(taskAt(0, { expires: now, eta: now + 9_000 }), now, never)).toEqual({ kind: "revoked", reason: "expired" });
  expect(admit(taskAt(0, { eta: now + 9_000 }), now, never)).toEqual({ kind: "wait", ms: 9_000 });
  expect(admit(taskAt(0, { eta: now + 10 }), now, never)).toEqual({ kind: "run" });
});
