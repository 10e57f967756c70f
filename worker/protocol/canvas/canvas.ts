import type { PyException } from "../exception.ts";
import { encodeJson } from "../json/json.ts";
import type { Value, ValueMap } from "../json/value.ts";
import type { TaskMessage } from "../task-message.ts";
import { applySignature } from "./canvas-apply.ts";
import { chordParts, isChain, isChord, isGroup, tasksOf, unrollGroup, withOptions } from "./canvas-chain.ts";
import type { CanvasContext, CanvasPlan, CanvasStep } from "./canvas-plan.ts";
import { asSignatures, isSignature, type Signature } from "./signature.ts";

/**
 * What follows a success: the callbacks, then the next step of the chain, then the part of a chord. celery/app/trace.py
 * Publish all of it before the result is stored, with `children` in the result. The chord part comes last: after the result is stored.
 */
export function afterSuccess(task: TaskMessage, result: Value, context: CanvasContext): Omit<CanvasPlan, "id"> {
  const plans: CanvasPlan[] = [];
  const own = { parent_id: context.parentId ?? null, root_id: context.rootId ?? null };
  const [only, second] = task.callbacks;
  if (only !== undefined && second === undefined) plans.push(applySignature(only, [result], own, context, "link:0"));
  if (second !== undefined) {
    const plain = task.callbacks.filter((callback) => !isGroup(callback));
    for (const [index, group] of task.callbacks.filter(isGroup).entries())
      plans.push(applySignature(group, [result], own, context, `link-group:${index}`));
    if (plain.length > 0) plans.push(applySignature(groupOf(plain), [result], own, context, "links"));
  }
  const next = task.chain.at(-1);
  if (next !== undefined) plans.push(applySignature(next, [result], { ...own, chain: task.chain.slice(0, -1) }, context, "chain"));
  return {
    steps: [...plans.flatMap(({ steps }) => steps), ...chordPart(task, "SUCCESS", result)],
    children: plans.flatMap(({ children }) => children),
  };
}

/**
 * What follows a failure, after it is stored: the part of a chord, the failure of every later step of the chain, the error callbacks.
 * Celery calls error callbacks of new style inside the worker; here they are sent like the others, so that a crash loses none.
 * celery/backends/base.py `mark_as_failure`, with 5.7's descent into the bodies of chords.
 */
export function afterFailure(task: TaskMessage, error: PyException, context: CanvasContext, traceback?: string): readonly CanvasStep[] {
  const { id, name, args, kwargs, retries, rootId, parentId } = task;
  const request: ValueMap = { id, task: name, args, kwargs, retries, root_id: rootId, parent_id: parentId ?? null };
  return [
    ...chordPart(task, "FAILURE", error),
    ...failChain(task.chain, error),
    ...errbacks(request, error, traceback, task.errbacks, context, "errback").steps,
  ];
}

/**
 * A revoked task reports its part of a chord. Later steps of its chain never run, so they are revoked too; Celery leaves them pending,
 * and whoever waits for the chain waits for ever.
 */
export function afterRevoke(task: TaskMessage, error: PyException): readonly CanvasStep[] {
  const chain = failChain(task.chain, error);
  return [
    ...chordPart(task, "REVOKED", error),
    ...chain.map((step) => (step.step === "fail" ? { ...step, state: "REVOKED" as const } : step)),
  ];
}

/** The body of a chord whose parts are all there. */
export function chordBody(body: Signature, results: readonly Value[], context: CanvasContext): CanvasPlan {
  return applySignature(body, [results], {}, context, "body");
}

/** A chord that cannot go on: its body fails in its place, with its error callbacks and all that would have followed. `chord_error_from_stack` */
export function chordFailure(
  body: Signature,
  { error, cause }: { readonly error: PyException; readonly cause?: PyException },
  context: CanvasContext,
): readonly CanvasStep[] {
  // Celery gives the tasks of a group what happened, and a single task what it meant for the chord.
  const own = isGroup(body) ? (cause ?? error) : error;
  const links = asSignatures(body.options?.["link_error"]) ?? [];
  const tasks = isGroup(body) ? unrollGroup(body) : [body];
  const steps = tasks.flatMap((task, index): readonly CanvasStep[] => {
    const id = task.options?.["task_id"];
    const taskId = typeof id === "string" ? id : context.newId(`body:${index}`);
    const inside = isGroup(body) ? errbacksOf(task) : [];
    const calls = errbacks({ id: taskId }, own, undefined, withoutTwins([...inside, ...links]), context, `body-errback:${index}`);
    // The row of the body lists its error callbacks as children, which that of a task does not: Celery stores it after they are called.
    const failed = failChain([withOptions(task, { task_id: taskId })], own).map((step) =>
      step.step === "fail" && step.taskId === taskId && calls.children.length > 0 ? { ...step, children: calls.children } : step,
    );
    return [...failed, ...calls.steps];
  });
  return [...steps, ...failChain(asSignatures(body.options?.["chain"]) ?? [], error)];
}

/** The error callbacks of what stands behind a signature's result: for a chord those of its body, too. `_result_errbacks` of 5.7 */
function errbacksOf(signature: Signature): readonly Signature[] {
  const own = asSignatures(signature.options?.["link_error"]) ?? [];
  if (isGroup(signature)) return [...own, ...tasksOf(signature).flatMap(errbacksOf)];
  const { body } = isChord(signature) ? chordParts(signature) : { body: undefined };
  return body === undefined ? own : [...own, ...errbacksOf(body)];
}

/** An error callback that is linked to a group and to its tasks is called once for each task. celery/backends/base.py 5.7 */
const withoutTwins = (signatures: readonly Signature[]): readonly Signature[] => [
  ...new Map(signatures.map((signature) => [encodeJson(signature), signature])).values(),
];

function chordPart(task: TaskMessage, state: string, result: unknown): readonly CanvasStep[] {
  if (task.chord === undefined || task.group === undefined) return [];
  const index = task.groupIndex === undefined ? {} : { groupIndex: task.groupIndex };
  return [{ step: "chord-part", taskId: task.id, groupId: task.group, ...index, body: task.chord, state, result }];
}

/** Every task among these that somebody may wait for fails, down to the last ones inside; their parts of chords are reported. */
function failChain(chain: readonly Signature[], error: PyException): readonly CanvasStep[] {
  const steps: CanvasStep[] = [];
  const todo = [...chain];
  for (let element = todo.shift(); element !== undefined; element = todo.shift()) {
    const { task_id: id, group_id: group, group_index: index, chord, parent_id: parent } = element.options ?? {};
    if (typeof id === "string" && !isGroup(element)) {
      const of = { ...(typeof group === "string" ? { groupId: group } : {}), ...(typeof parent === "string" ? { parentId: parent } : {}) };
      steps.push({ step: "fail", taskId: id, error, ...of });
      if (isSignature(chord) && typeof group === "string") {
        const at = typeof index === "number" ? { groupIndex: index } : {};
        steps.push({ step: "chord-part", taskId: id, groupId: group, ...at, body: chord, state: "FAILURE", result: error });
      }
    }
    if (isChain(element)) todo.push(...tasksOf(element));
    if (isGroup(element)) todo.push(...unrollGroup(element));
    const { body } = isChord(element) ? chordParts(element) : { body: undefined };
    if (body !== undefined) todo.push(body);
  }
  return steps;
}

/** Error callbacks of old style get the failed task's id, as one group; those of new style the failed call, its error and its traceback. */
function errbacks(
  request: ValueMap,
  error: PyException,
  traceback: string | undefined,
  signatures: readonly Signature[],
  context: CanvasContext,
  seed: string,
): Omit<CanvasPlan, "id"> {
  const failedId = request["id"] ?? null;
  const own = { parent_id: failedId, root_id: context.rootId ?? null };
  const isNew = ({ task }: Signature): boolean => context.takesError?.(task) === true;
  const oldOnes = signatures.filter((signature) => !isNew(signature));
  const newOnes = signatures
    .filter(isNew)
    .flatMap(
      (signature, index) =>
        applySignature(signature, [request, { ...error }, traceback ?? null], own, context, `${seed}-new:${index}`).steps,
    );
  if (oldOnes.length === 0) return { steps: newOnes, children: [] };
  const { steps, children } = applySignature(groupOf(oldOnes), [failedId], own, context, seed);
  return { steps: [...newOnes, ...steps], children };
}

function groupOf(tasks: readonly Signature[]): Signature {
  return { task: "celery.group", args: [], kwargs: { tasks }, options: {}, subtask_type: "group", immutable: false };
}
