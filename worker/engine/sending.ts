import { chordFailure } from "../protocol/canvas/canvas.ts";
import { applySignature } from "../protocol/canvas/canvas-apply.ts";
import type { CanvasPlan } from "../protocol/canvas/canvas-plan.ts";
import { isSignature, type Signature } from "../protocol/canvas/signature.ts";
import type { TaskMessage } from "../protocol/task-message.ts";
import type { TaskContext } from "../tasks/define-task.ts";
import { Replaced } from "../tasks/outcomes.ts";
import { canvasContext } from "./canvas-context.ts";

export interface Sending {
  readonly context: Pick<TaskContext, "send" | "addToChord" | "replace" | "failInstead">;
  /** What was asked for so far. */
  readonly plans: readonly CanvasPlan[];
}

function check(signature: Signature): Signature {
  if (!isSignature(signature)) throw new TypeError("expected a signature: make one with signature(), chain(), group() or chord()");
  return signature;
}

/** Collects what a running task wants to send. Never sends anything: that happens after its result is stored. */
export function openSending(task: TaskMessage): Sending {
  const plans: CanvasPlan[] = [];
  const own = { parent_id: task.id, root_id: task.rootId };
  /** In the order of the calls, so that a task that runs again makes the same ids. */
  const seed = (): string => `sent:${plans.length}`;
  const keep = (plan: CanvasPlan): string => {
    plans.push(plan);
    return plan.id;
  };
  return {
    plans,
    context: {
      send: (signature, args = []) => keep(applySignature(check(signature), args, own, canvasContext(task), seed())),
      addToChord(signature) {
        const { chord, group, groupIndex } = task;
        if (chord === undefined || group === undefined) throw new TypeError(`task ${task.id} is not part of a chord`);
        const options = { group_id: group, group_index: groupIndex ?? null, chord };
        const placed: Signature = { ...check(signature), options: { ...signature.options, ...options } };
        const plan = applySignature(placed, [], own, canvasContext(task), seed());
        return keep({ ...plan, steps: [{ step: "chord-add", groupId: group, taskId: plan.id }, ...plan.steps] });
      },
      replace(signature) {
        throw new Replaced(check(signature));
      },
      failInstead: (signature, error) =>
        void keep({
          id: "",
          steps: chordFailure(check(signature), { error }, canvasContext(task, undefined, `${task.id}/${seed()}`)),
          children: [],
        }),
    },
  };
}
