import type { Signature } from "../protocol/canvas/signature.ts";
import type { Value, ValueMap } from "../protocol/json/value.ts";

/** A call to make later: the result of the task before is put in front of its arguments. Celery's `task.s()`. */
export function signature(task: string, args: readonly Value[] = [], kwargs: ValueMap = {}, options: ValueMap = {}): Signature {
  return { task, args, kwargs, options, subtask_type: null, immutable: false };
}

/** A call that takes no result of another. Celery's `task.si()`. */
export function immutable(signature: Signature): Signature {
  return { ...signature, immutable: true };
}

/** One after the other, each with the result of the one before. */
export function chain(...tasks: readonly Signature[]): Signature {
  return { task: "celery.chain", args: [], kwargs: { tasks }, options: {}, subtask_type: "chain", immutable: false };
}

/** Side by side. */
export function group(...tasks: readonly Signature[]): Signature {
  return { task: "celery.group", args: [], kwargs: { tasks }, options: {}, subtask_type: "group", immutable: false };
}

/** Side by side, then `body` with the list of their results. */
export function chord(header: readonly Signature[], body: Signature): Signature {
  return {
    task: "celery.chord",
    args: [],
    kwargs: { kwargs: {}, header: group(...header), body },
    options: {},
    subtask_type: "chord",
    immutable: false,
  };
}
