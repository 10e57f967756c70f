import { createHash } from "node:crypto";
import { hostname } from "node:os";
import type { Delivery } from "../ports.ts";
import { afterFailure, afterRevoke, afterSuccess } from "../protocol/canvas.ts";
import type { CanvasContext, CanvasStep } from "../protocol/canvas-plan.ts";
import { celeryError } from "../protocol/celery-errors.ts";
import { encodeTask } from "../protocol/encode-task.ts";
import { isValue } from "../protocol/is-value.ts";
import type { TaskResult } from "../protocol/result.ts";
import type { TaskMessage } from "../protocol/task-message.ts";
import type { Outcome } from "./outcome.ts";
import type { Outgoing } from "./settle.ts";

/** What follows an outcome: messages for the broker, and the failures of tasks that now never run. */
export interface FollowUps {
  readonly out: readonly Outgoing[];
  readonly children: NonNullable<TaskResult["children"]>;
  readonly failures: readonly TaskResult[];
  /** Steps that this worker cannot take yet, by name. */
  readonly skipped: readonly string[];
}

const NONE: FollowUps = { out: [], children: [], failures: [], skipped: [] };

/** UUID version 5: the same for the same task and seed, so that what is published again after a crash is recognised. RFC 9562, 5.5. */
function uuid5(namespace: string, name: string): string {
  const hash = createHash("sha1").update(`${namespace}/${name}`).digest();
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = hash.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-");
}

/** A message goes where its signature says, else to the queue that its parent came from: this pool knows those tasks. */
function toOutgoing({ task, route }: Extract<CanvasStep, { step: "publish" }>, queue: string, now: number): Outgoing {
  const expires = typeof route.expires === "number" ? { expires: now + route.expires * 1_000, expirationMs: route.expires * 1_000 } : {};
  const eta = route.countdown === undefined ? {} : { eta: now + route.countdown * 1_000 };
  const { properties, body } = encodeTask({ ...task, ...expires, ...eta });
  const toExchange = route.exchange !== undefined && route.exchange !== "";
  const message = {
    exchange: toExchange ? (route.exchange ?? "") : "",
    routingKey: toExchange ? (route.routingKey ?? "") : (route.queue ?? route.routingKey ?? queue),
    properties,
    body,
  };
  return route.countdown === undefined ? { message } : { message, delayMs: route.countdown * 1_000 };
}

/** Callbacks, the next step of a chain, error callbacks. Throws JsonError when the result cannot be handed on. */
export function followUps(task: TaskMessage, outcome: Outcome, delivery: Delivery, now: number): FollowUps {
  const plain = task.callbacks.length + task.errbacks.length + task.chain.length === 0 && task.chord === undefined;
  if (plain) return NONE;
  const context: CanvasContext = {
    parentId: task.id,
    rootId: task.rootId,
    origin: `gen${process.pid}@${hostname()}`,
    replyTo: task.replyTo ?? "",
    newId: (seed) => uuid5(task.id, seed),
  };
  let steps: readonly CanvasStep[] = [];
  let children: FollowUps["children"] = [];
  if (outcome.kind === "success") {
    const value = outcome.value ?? null;
    if (!isValue(value)) throw new TypeError(`task ${task.name} returned what no message can carry`);
    ({ steps, children } = afterSuccess(task, value, context));
  } else if (outcome.kind === "failure") steps = afterFailure(task, outcome.error, context);
  else if (outcome.kind === "revoked") steps = afterRevoke(task, celeryError("TaskRevokedError", outcome.reason));

  const out: Outgoing[] = [];
  const failures: TaskResult[] = [];
  const skipped: string[] = [];
  for (const step of steps) {
    if (step.step === "publish") out.push(toOutgoing(step, delivery.queue, now));
    else if (step.step === "fail") {
      const of = { ...(step.groupId && { groupId: step.groupId }), ...(step.parentId && { parentId: step.parentId }) };
      failures.push({ id: step.taskId, state: "FAILURE", error: step.error, dateDone: now, ...of });
    } else skipped.push(step.step);
  }
  return { out, children, failures, skipped };
}
