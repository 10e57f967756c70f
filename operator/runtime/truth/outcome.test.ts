import { expect, test } from "vitest";
import { KubeError } from "../kube-error.ts";
import { done, type Outcome, requeueAfter, Stalled, type Verdict, verdictOf, Waiting } from "./outcome.ts";
import { REASONS } from "./reasons.ts";

const ready = { status: "True", reason: "Ready", message: "" };
const ended: readonly [why: string, outcome: Outcome, want: Verdict][] = [
  ["done is ready, and nothing more to do", done, { condition: ready, requeue: "none" } as Verdict],
  ["a requeue is ready, and looks again", requeueAfter(700), { condition: ready, requeue: { afterMs: 700 } } as Verdict],
];
test.for(ended)("%s", ([, outcome, want]) => expect(verdictOf({ outcome })).toEqual(want));

const failed: readonly [why: string, error: unknown, reason: string | undefined, requeue: Verdict["requeue"]][] = [
  ["waiting looks again in 5 s", new Waiting("SecretMissing", "Secret a/b does not exist"), "SecretMissing", { afterMs: 5_000 }],
  ["waiting says itself when", new Waiting("BrokerMissing", "", { retryAfterMs: 100 }), "BrokerMissing", { afterMs: 100 }],
  ["stalled waits for a change", new Stalled("ArgumentsDiffer", "x-max-length"), "ArgumentsDiffer", "none"],
  ["a conflict of versions says nothing, and tries again", new KubeError(409, "Conflict", ""), undefined, "backoff"],
  ["any other error is failed, with backoff", new TypeError("oops"), "Failed", "backoff"],
  ["even one that is no error", "oops", "Failed", "backoff"],
];
test.for(failed)("%s", ([, error, reason, requeue]) => {
  const verdict = verdictOf({ error });
  expect(verdict.requeue).toEqual(requeue);
  expect(verdict.condition?.reason).toBe(reason);
  expect(verdict.condition?.status).toBe(reason === undefined ? undefined : "False");
});

test("the message says what happened, then what to do", () => {
  const { condition } = verdictOf({ error: new Waiting("SecretMissing", "Secret a/b does not exist") });
  expect(condition?.message).toBe(`Secret a/b does not exist. ${REASONS.SecretMissing.advice}`);
});

test("a message never carries a login", () => {
  const { condition } = verdictOf({ error: new Error("connect amqp://user:geheim@host:5672 failed") });
  expect(condition?.message).not.toContain("geheim");
});

test("every reason is CamelCase and ends its advice as a sentence", () => {
  for (const [reason, { advice }] of Object.entries(REASONS)) {
    expect(reason).toMatch(/^[A-Z][A-Za-z]+$/);
    expect(advice).toMatch(/^[A-Z].*\.$/);
  }
});
