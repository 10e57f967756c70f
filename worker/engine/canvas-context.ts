import { createHash } from "node:crypto";
import { hostname } from "node:os";
import type { CanvasContext } from "../protocol/canvas/canvas-plan.ts";
import type { TaskMessage } from "../protocol/task-message.ts";
import type { Task } from "../tasks/define-task.ts";

/** UUID version 5: the same for the same namespace and name, so that what is published again after a crash is recognised. RFC 9562, 5.5. */
function uuid5(namespace: string, name: string): string {
  const hash = createHash("sha1").update(`${namespace}/${name}`).digest();
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = hash.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-");
}

/** The tasks of this worker. */
export type KnownTasks = ReadonlyMap<string, Pick<Task, "takesError">>;

/** Who sends what follows a task. `namespace` makes the ids of new messages: the task's own id, or what several tasks share. */
export const canvasContext = (task: TaskMessage, tasks?: KnownTasks, namespace: string = task.id): CanvasContext => ({
  takesError: (name) => tasks?.get(name)?.takesError === true,
  parentId: task.id,
  rootId: task.rootId,
  origin: `gen${process.pid}@${hostname()}`,
  replyTo: task.replyTo ?? "",
  newId: (seed) => uuid5(namespace, seed),
});
