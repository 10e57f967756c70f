import type { Begun } from "../leases/leases.ts";
import { decodeResult, encodeResult, resultKey, type TaskResult } from "../protocol/result.ts";
import type { TaskMessage } from "../protocol/task-message.ts";
import type { AttemptDeps, Running } from "./attempt.ts";
import { carryOut } from "./carry-out.ts";
import { effectUnknown } from "./failure.ts";
import { followUps } from "./follow-ups.ts";
import { decodeOutbox, publishAll } from "./outbox.ts";
import type { Outcome } from "./outcome.ts";
import { replyWith } from "./reply.ts";

type Stored = Extract<Begun, { kind: "stored" }>;

/** The answer of work that has ended, for whoever asks again; then what that work still had to publish. */
export async function repeat(
  running: Running,
  task: TaskMessage,
  record: { readonly key: string; readonly fence: string; readonly out: string },
  stored: Stored | undefined,
  deps: AttemptDeps,
): Promise<void> {
  const { queue } = running.delivery;
  const now = deps.clock.now();
  const result = stored === undefined ? undefined : storedResult(task, stored, now);
  if (result !== undefined) await answer(task.id, task.replyTo, result, deps);
  if (record.out !== "") {
    await carryOut(decodeOutbox(record.out), task, queue, deps);
    await deps.leases.clear(record.key, record.fence);
  }
  if (result !== undefined && stored?.taskId !== task.id) {
    // Another task's work under the same key: what follows this one is its own.
    const { error } = result;
    const outcome: Outcome = error === undefined ? { kind: "success", value: result.result } : { kind: "failure", error };
    await carryOut(followUps(task, outcome, queue, now, deps.tasks), task, queue, deps);
  }
  running.delivery.ack();
  deps.observer.ended(
    task,
    result === undefined ? undefined : result.state === "SUCCESS" ? "task-succeeded" : "task-failed",
    result,
    undefined,
  );
}

/** The first one's result under this task's id. Undefined when that work stored none. */
function storedResult(task: TaskMessage, stored: Stored, now: number): TaskResult | undefined {
  const own = { id: task.id, ...(task.group && { groupId: task.group }), ...(task.parentId && { parentId: task.parentId }) };
  if (stored.result === "" && stored.state === "UNKNOWN") return { ...own, state: "FAILURE", error: effectUnknown(task.id), dateDone: now };
  if (stored.result === "") return undefined;
  const first = decodeResult(stored.result);
  if (stored.taskId === task.id) return first;
  const { groupId: _group, parentId: _parent, ...rest } = first;
  return { ...rest, ...own };
}

/** A result outside any lease, where its client looks for it. */
export async function answer(id: string, replyTo: string | undefined, result: TaskResult, deps: AttemptDeps): Promise<void> {
  const text = encodeResult(result);
  await deps.leases.store(resultKey(id), text);
  if (!deps.rpc || replyTo === undefined) return;
  await publishAll(deps.broker, [{ message: replyWith(replyTo, id, text) }], deps.clock, (error) =>
    deps.log.error({ err: error, taskId: id }, "an answer was refused"),
  );
}
