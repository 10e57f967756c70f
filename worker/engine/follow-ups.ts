import { afterFailure, afterRevoke, afterSuccess } from "../protocol/canvas/canvas.ts";
import type { CanvasPlan, CanvasStep } from "../protocol/canvas/canvas-plan.ts";
import { replacement } from "../protocol/canvas/canvas-replace.ts";
import { encodePart, partScore } from "../protocol/canvas/chord.ts";
import { celeryError } from "../protocol/celery-errors.ts";
import { encodeTask } from "../protocol/encode-task.ts";
import { isValue } from "../protocol/json/is-value.ts";
import { encodeJson } from "../protocol/json/json.ts";
import { encodeResult, type TaskResult } from "../protocol/result.ts";
import type { TaskMessage } from "../protocol/task-message.ts";
import { canvasContext, type KnownTasks } from "./canvas-context.ts";
import type { Outcome } from "./outcome.ts";
import type { Outgoing, StoreStep } from "./settle.ts";

/** What follows an outcome: messages for the broker, and what the store has to know before and after they are sent. */
export interface FollowUps {
  readonly out: readonly Outgoing[];
  readonly steps: readonly StoreStep[];
  readonly children: NonNullable<TaskResult["children"]>;
}

const NONE: FollowUps = { out: [], steps: [], children: [] };

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
    // One that no queue takes is answered with a failure; its caller would wait for ever.
    mandatory: true,
  };
  return route.countdown === undefined ? { message } : { message, delayMs: route.countdown * 1_000 };
}

/** A plan's steps as messages and entries for the store, in the order in which they must happen. */
export function toFollowUps({ steps, children }: Omit<CanvasPlan, "id">, queue: string, now: number): FollowUps {
  const out: Outgoing[] = [];
  const stored: StoreStep[] = [];
  for (const step of steps) {
    switch (step.step) {
      case "publish":
        out.push(toOutgoing(step, queue, now));
        break;
      case "fail": {
        const of = { ...(step.groupId && { groupId: step.groupId }), ...(step.parentId && { parentId: step.parentId }) };
        const { taskId: id, state = "FAILURE", error, children = [] } = step;
        const result: TaskResult = { id, state, error, children, dateDone: now, ...of };
        stored.push({ step: "store", taskId: step.taskId, result: encodeResult(result) });
        break;
      }
      case "save-group":
        stored.push({ step: "save-group", groupId: step.groupId, result: encodeJson({ result: step.result }) });
        break;
      case "chord-part": {
        const { taskId, groupId } = step;
        const member = encodePart(taskId, step.state, step.result);
        stored.push({ step: "chord-part", taskId, groupId, score: partScore(step.groupIndex), member, body: encodeJson(step.body) });
        break;
      }
      case "chord-size":
      case "chord-add":
        stored.push(step);
        break;
    }
  }
  return { out, steps: stored, children };
}

/** Callbacks, the next step of a chain, a chord's part, error callbacks, replacement. Throws JsonError when the result cannot be handed on. */
export function followUps(task: TaskMessage, outcome: Outcome, queue: string, now: number, tasks: KnownTasks): FollowUps {
  const sent = outcome.kind === "success" || outcome.kind === "replace" ? (outcome.sent ?? []) : [];
  const plain = task.callbacks.length + task.errbacks.length + task.chain.length + sent.length === 0 && task.chord === undefined;
  if (plain && outcome.kind !== "replace") return NONE;
  const context = canvasContext(task, tasks);
  const plan = (): Omit<CanvasPlan, "id"> => {
    switch (outcome.kind) {
      case "success": {
        const value = outcome.value ?? null;
        if (!isValue(value)) throw new TypeError(`task ${task.name} returned what no message can carry`);
        return afterSuccess(task, value, context);
      }
      case "replace":
        return replacement(task, outcome.signature, context);
      case "failure":
        return { steps: afterFailure(task, outcome.error, context, outcome.traceback), children: [] };
      case "reject":
        if (outcome.requeue) return { steps: [], children: [] };
        return { steps: afterFailure(task, celeryError("Reject", outcome.reason, false), context), children: [] };
      case "revoked":
        return { steps: afterRevoke(task, celeryError("TaskRevokedError", outcome.reason)), children: [] };
      default:
        return { steps: [], children: [] };
    }
  };
  const planned = plan();
  const steps = [...sent.flatMap((one) => one.steps), ...planned.steps];
  return toFollowUps({ steps, children: [...sent.flatMap((one) => one.children), ...planned.children] }, queue, now);
}
