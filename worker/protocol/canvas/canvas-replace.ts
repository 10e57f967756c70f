import { ImproperlyConfigured } from "../celery-errors.ts";
import type { ValueMap } from "../json/value.ts";
import type { TaskMessage } from "../task-message.ts";
import { applySignature } from "./canvas-apply.ts";
import { chordOf, isChain, isGroup, tasksOf, withOptions } from "./canvas-chain.ts";
import type { CanvasContext, CanvasPlan } from "./canvas-plan.ts";
import { asSignatures, type Signature } from "./signature.ts";

/** Gives back the results of a group as one value, so that a callback can be linked behind it. celery/app/builtins.py */
const ACCUMULATE: Signature = {
  task: "celery.accumulate",
  args: [],
  kwargs: { index: 0 },
  options: {},
  subtask_type: null,
  immutable: false,
};

/**
 * A task's place taken by another signature: it gets the id, the callbacks, the rest of the chain and the place in the chord.
 * celery/app/task.py `replace`. Throws ImproperlyConfigured for an empty chain, and for a signature that has a chord of its own.
 */
export function replacement(task: TaskMessage, given: Signature, context: CanvasContext): CanvasPlan {
  if (given.options?.["chord"] != null) throw new ImproperlyConfigured("A signature replacing a task must not be part of a chord");
  if (isChain(given) && tasksOf(given).length === 0) throw new ImproperlyConfigured("Cannot replace with an empty chain");
  const last = isChain(given) ? tasksOf(given).at(-1) : undefined;
  let signature = given;
  // A chord and not a chain of two: a chain would unroll a group of one, whose result is a list all the same.
  if (isGroup(given)) signature = chordOf(given, ACCUMULATE, undefined);
  else if (last !== undefined && isGroup(last))
    signature = { ...given, kwargs: { ...given.kwargs, tasks: [...tasksOf(given).slice(0, -1), chordOf(last, ACCUMULATE, undefined)] } };

  const nesting = { replaced_task_nesting: task.replacedTaskNesting + 1 };
  if (isChain(signature)) {
    const tasks = tasksOf(signature).map((step) => withOptions(step, nesting));
    signature = { ...signature, kwargs: { ...signature.kwargs, tasks } };
  }
  const options: ValueMap = {
    ...nesting,
    task_id: task.id,
    root_id: task.rootId,
    parent_id: task.id,
    group_id: task.group ?? null,
    group_index: task.groupIndex ?? null,
    chord: task.chord ?? null,
    chain: task.chain.length > 0 ? task.chain.map((step) => withOptions(step, nesting)) : null,
    link: linked(signature, "link", task.callbacks),
    link_error: linked(signature, "link_error", task.errbacks),
  };
  return applySignature({ ...signature, options: { ...signature.options, task_id: task.id } }, [], options, context, "replace");
}

function linked(signature: Signature, option: string, more: readonly Signature[]): readonly Signature[] | null {
  const all = [...(asSignatures(signature.options?.[option]) ?? []), ...more];
  return all.length > 0 ? all : null;
}
