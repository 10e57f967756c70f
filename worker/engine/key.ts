import { createHash } from "node:crypto";
import { encodeJson } from "../protocol/json/json.ts";
import type { TaskMessage } from "../protocol/task-message.ts";
import type { Task } from "../tasks/define-task.ts";

/** Which piece of work a message asks for, and a digest that tells whether two messages with one key ask the same. */
export interface WorkKey {
  readonly key: string;
  readonly fingerprint: string;
}

/**
 * The task's own key, scoped to its name; else the task's id, which covers redelivery. A task that was replaced keeps its id, so its
 * depth counts too. Throws what the user's `idempotencyKey` throws.
 */
export function workKey(definition: Task, task: TaskMessage, input: unknown): WorkKey {
  if (definition.idempotencyKey === undefined) {
    const depth = task.replacedTaskNesting === 0 ? "" : `.${task.replacedTaskNesting}`;
    return { key: `task:${task.id}${depth}`, fingerprint: "" };
  }
  const key = definition.idempotencyKey(input);
  if (typeof key !== "string" || key === "") throw new TypeError(`task "${task.name}": idempotencyKey returned no text`);
  const digest = createHash("sha256").update(encodeJson([task.name, input ?? null]));
  return { key: `key:${task.name}:${key}`, fingerprint: digest.digest("hex") };
}
