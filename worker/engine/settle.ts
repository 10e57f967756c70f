import type { MessageProperties, Publication } from "../ports.ts";
import { celeryError } from "../protocol/celery-errors.ts";
import type { PyException } from "../protocol/exception.ts";
import type { TaskResult } from "../protocol/result.ts";
import { encodeRetry } from "../protocol/retry-message.ts";
import type { TaskMessage } from "../protocol/task-message.ts";
import type { NextCall } from "../tasks/next-call.ts";
import type { Outcome } from "./outcome.ts";

/** A message for the broker, at once or after a wait that happens in the broker. */
export interface Outgoing {
  readonly message: Publication;
  readonly delayMs?: number;
}

/** What the store has to know of what follows an outcome. Sizes, shapes and failures come before the messages, parts of a chord after them. */
export type StoreStep =
  | { readonly step: "chord-size"; readonly groupId: string; readonly size: number }
  | { readonly step: "save-group"; readonly groupId: string; readonly result: string }
  | { readonly step: "chord-add"; readonly groupId: string; readonly taskId: string }
  | { readonly step: "store"; readonly taskId: string; readonly result: string }
  | {
      readonly step: "chord-part";
      readonly groupId: string;
      readonly taskId: string;
      readonly score: string;
      readonly member: string;
      /** The signature of the chord's body, as JSON. */
      readonly body: string;
    };

/** What one outcome asks for. The executor carries it out in this order: lease with result, outgoing messages, broker. */
export interface Settlement {
  /** commit: done; kill: failed for good; release: will be tried again; none: the lease is not ours or was never asked for. */
  readonly lease: "commit" | "kill" | "release" | "none";
  /** With `release`: deliveries of earlier attempts than this one are stale. */
  readonly nextAttempt: number;
  readonly result?: TaskResult;
  readonly out: readonly Outgoing[];
  /** drop: to the dead-letter exchange, if there is one. */
  readonly broker: "ack" | "drop" | "requeue";
  readonly event: "task-succeeded" | "task-failed" | "task-retried" | "task-rejected" | "task-revoked" | undefined;
}

/** What settling needs to know besides task and outcome. */
export interface SettleFacts {
  /** ms since the epoch. */
  readonly now: number;
  readonly queue: string;
  readonly properties: MessageProperties;
  /** Ids of what the task published, as results list them. */
  readonly children?: TaskResult["children"];
  /** Callbacks, the next step of a chain: whatever is sent after this outcome. */
  readonly followUps?: readonly Outgoing[];
  /** A failure does not acknowledge the message: it goes to the dead letters. */
  readonly dropFailure?: boolean;
  /** It was acknowledged before it ran: what would go back to the queue is sent anew. */
  readonly acknowledged?: boolean;
}

/** How long a message of a lost lease waits before it asks for the stored answer, ms. */
const LOST_DELAY_MS = 1_000;

/** Headers of dead-lettering; RabbitMQ drops a message as a cycle when they come back (celery#10111). */
const isDeath = (header: string): boolean => /^x-(death|first-death-|last-death-|delivery-count)/.test(header);

/** A task's message once more, straight to the queue it came from, with some headers changed. */
function again(task: TaskMessage, facts: Pick<SettleFacts, "queue" | "properties">, headers: Record<string, unknown>): Publication {
  const kept = Object.fromEntries(Object.entries(task.headers).filter(([name]) => !isDeath(name)));
  return {
    exchange: "",
    routingKey: facts.queue,
    properties: { ...facts.properties, deliveryMode: 2, headers: { ...kept, ...headers } },
    body: Buffer.from(task.body),
  };
}

/** A retry as Celery sends it: same id, one retry more, the task its own parent. Source: celery/app/task.py, `retry`. */
function retried(task: TaskMessage, facts: SettleFacts, delayMs: number, call: NextCall | undefined): Outgoing {
  const { properties, body } = encodeRetry(task, { eta: facts.now + delayMs, now: facts.now, ...call });
  return { message: { exchange: "", routingKey: facts.queue, properties, body: Buffer.from(body) }, delayMs };
}

/** The message unchanged, after a wait: it will ask for its lease, or for the stored answer, once more. */
export const parked = (
  task: TaskMessage,
  facts: Pick<SettleFacts, "queue" | "properties">,
  delayMs: number,
  headers: Record<string, unknown> = {},
): Outgoing => ({ message: again(task, facts, headers), delayMs });

/** Counts how often a message was parked because another worker runs its work. */
const PARKED_HEADER = "longshore-parked";
const PARK_FIRST_MS = 100;
const PARK_MAX_MS = 5_000;

/** A duplicate of running work asks again soon, then ever more rarely, at the latest when the lease would run out. */
export function parkedBusy(task: TaskMessage, facts: Pick<SettleFacts, "queue" | "properties">, leaseLeftMs: number): Outgoing {
  const before = task.headers[PARKED_HEADER];
  const count = typeof before === "number" ? before : 0;
  const delayMs = Math.min(PARK_MAX_MS, PARK_FIRST_MS * 2 ** Math.min(count, 10), Math.max(PARK_FIRST_MS, leaseLeftMs));
  return parked(task, facts, delayMs, { [PARKED_HEADER]: count + 1 });
}

/** What to do about an outcome. Decides only; source of the rules: celery/worker/request.py and celery/app/trace.py. */
export function settle(task: TaskMessage, outcome: Outcome, facts: SettleFacts): Settlement {
  const base = {
    id: task.id,
    children: facts.children ?? [],
    ...(task.group === undefined ? {} : { groupId: task.group }),
    ...(task.parentId === undefined ? {} : { parentId: task.parentId }),
  };
  const failed = (state: "FAILURE" | "REVOKED" | "RETRY", error: PyException, traceback?: string): TaskResult => ({
    ...base,
    state,
    error,
    dateDone: facts.now,
    ...(traceback === undefined ? {} : { traceback }),
  });
  const followUps = facts.followUps ?? [];
  const nextAttempt = task.retries;

  switch (outcome.kind) {
    case "success": {
      const result = { ...base, state: "SUCCESS", result: outcome.value, dateDone: facts.now };
      return { lease: "commit", nextAttempt, result, out: followUps, broker: "ack", event: "task-succeeded" };
    }
    case "failure": {
      const result = failed("FAILURE", outcome.error, outcome.traceback);
      if (facts.dropFailure !== true) return { lease: "kill", nextAttempt, result, out: followUps, broker: "ack", event: "task-failed" };
      // Who sends a dead letter again means it to run; not what may have had its effect.
      const lease = outcome.error.exc_type === "EffectUnknown" ? "kill" : "release";
      return { lease, nextAttempt, result, out: followUps, broker: "drop", event: "task-failed" };
    }
    case "retry": {
      const result = failed("RETRY", outcome.error, outcome.traceback);
      const out = [retried(task, facts, outcome.delayMs, outcome.call)];
      return { lease: "release", nextAttempt: task.retries + 1, result, out, broker: "ack", event: "task-retried" };
    }
    case "revoked": {
      const result = failed("REVOKED", celeryError("TaskRevokedError", outcome.reason));
      return { lease: "kill", nextAttempt, result, out: followUps, broker: "ack", event: "task-revoked" };
    }
    case "reject": {
      if (outcome.requeue) {
        const out = facts.acknowledged === true ? [{ message: again(task, facts, {}) }] : [];
        return { lease: "release", nextAttempt, out, broker: "requeue", event: "task-rejected" };
      }
      const result = failed("FAILURE", celeryError("Reject", outcome.reason, false));
      // Released, not ended: who sends it again from the dead-letter queue means it to run.
      return { lease: "release", nextAttempt, result, out: followUps, broker: "drop", event: "task-rejected" };
    }
    case "replace":
      return { lease: "commit", nextAttempt, out: followUps, broker: "ack", event: undefined };
    case "ignore":
      return { lease: "commit", nextAttempt, out: [], broker: "ack", event: undefined };
    case "lost":
      return { lease: "none", nextAttempt, out: [parked(task, facts, LOST_DELAY_MS)], broker: "ack", event: undefined };
  }
}
