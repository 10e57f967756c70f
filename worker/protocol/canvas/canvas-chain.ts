import type { Value, ValueMap } from "../json/value.ts";
import { mergeArgs } from "./canvas-plan.ts";
import { asSignatures, isSignature, type Signature } from "./signature.ts";

export const isGroup = (signature: Signature): boolean => signature.subtask_type === "group" || signature.task === "celery.group";
export const isChain = (signature: Signature): boolean => signature.subtask_type === "chain" || signature.task === "celery.chain";
export const isChord = (signature: Signature): boolean =>
  signature.subtask_type === "chord" || (signature.task === "celery.chord" && isSignature(signature.kwargs?.["body"]));

/** The tasks of a chain or group. What is no signature is left out: Celery would fail on it. */
export function tasksOf(signature: Signature): readonly Signature[] {
  return asSignatures(signature.kwargs?.["tasks"]) ?? [];
}

/** The tasks of a group, nested groups unrolled. */
export function unrollGroup(signature: Signature): readonly Signature[] {
  return tasksOf(signature).flatMap((task) => (isGroup(task) ? unrollGroup(task) : [task]));
}

/** Header and body of a chord; a header is a group or a list. */
export function chordParts(signature: Signature): {
  readonly header: readonly Signature[];
  readonly body: Signature | undefined;
  readonly groupId: string | undefined;
} {
  const header = signature.kwargs?.["header"];
  const body = signature.kwargs?.["body"];
  const isOne = isSignature(header);
  const groupId = isOne ? header.options?.["task_id"] : undefined;
  return {
    header: isOne
      ? isGroup(header)
        ? unrollGroup(header)
        : [header]
      : (asSignatures(header) ?? []).flatMap((task) => (isGroup(task) ? unrollGroup(task) : [task])),
    body: isSignature(body) ? body : undefined,
    groupId: typeof groupId === "string" ? groupId : undefined,
  };
}

/** The same signature with other options; undefined ones stay as they were. */
export function withOptions(signature: Signature, options: { readonly [name: string]: Value | undefined }): Signature {
  const given = Object.entries(options).filter((entry): entry is [string, Value] => entry[1] !== undefined);
  return { ...signature, options: { ...signature.options, ...Object.fromEntries(given) } };
}

/** `group | body`. `id` becomes that of the body. */
export function chordOf(group: Signature, body: Signature, id: Value | undefined): Signature {
  const options: ValueMap = id === undefined ? {} : { task_id: id };
  return { task: "celery.chord", args: [], kwargs: { kwargs: {}, header: group, body }, options, subtask_type: "chord", immutable: false };
}

/**
 * The steps of a chain in REVERSE, as the wire has them: inner chains spliced in, `group | task` made a chord, groups of one unrolled, each step
 * with an id, the last one with the options of the chain itself. The arguments go to the first step. celery/canvas.py `prepare_steps`
 */
export function chainSteps(
  chain: Signature,
  args: readonly Value[],
  last: { readonly [name: string]: Value | undefined },
  errbacks: readonly Signature[],
  newId: (seed: string) => string,
): readonly Signature[] {
  const todo = [...tasksOf(chain)];
  const steps: Signature[] = [];
  for (let task = todo.pop(), isLast = true; task !== undefined; task = todo.pop()) {
    const [only, second] = isGroup(task) ? tasksOf(task) : [];
    if (only !== undefined && second === undefined) task = only;
    if (isChain(task)) {
      todo.push(...tasksOf(task));
      continue;
    }
    if (todo.length === 0) task = { ...task, args: mergeArgs(task, args) };
    const next = steps.at(-1);
    if (isGroup(task) && next !== undefined) {
      steps.pop();
      task = chordOf(task, next, next.options?.["task_id"]);
    }
    const id = task.options?.["task_id"] ?? (isLast ? last["task_id"] : undefined) ?? newId(`step:${steps.length}`);
    task = withOptions(task, isLast ? { ...last, task_id: id } : { task_id: id });
    if (errbacks.length > 0) task = withOptions(task, { link_error: [...(asSignatures(task.options?.["link_error"]) ?? []), ...errbacks] });
    steps.push(task);
    isLast = false;
  }
  return steps;
}

/** How many parts a signature counts as in the chord around it. celery/canvas.py `_chord._descend` */
export function countParts(signature: Signature): number {
  if (isGroup(signature)) return tasksOf(signature).reduce((sum, task) => sum + countParts(task), 0);
  if (isChain(signature))
    return (
      tasksOf(signature)
        .toReversed()
        .map(countParts)
        .find((size) => size > 0) ?? 0
    );
  if (!isChord(signature)) return 1;
  const { body } = chordParts(signature);
  return body === undefined ? 0 : countParts(body);
}
