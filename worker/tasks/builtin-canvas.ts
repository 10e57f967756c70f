import * as z from "zod";
import { taskIds } from "../chords/saved-group.ts";
import { joinParts } from "../protocol/canvas/chord.ts";
import { asSignatures, isSignature, type Signature } from "../protocol/canvas/signature.ts";
import type { Value } from "../protocol/json/value.ts";
import type { StoredResult } from "../protocol/result.ts";
import { isReady } from "../protocol/states.ts";
import { defineTask, type Task, type TaskContext } from "./define-task.ts";
import { Retry } from "./outcomes.ts";

export interface CanvasDeps {
  /** A task of this worker by its name. */
  readonly find: (name: string) => Task | undefined;
  readonly results: (ids: readonly string[]) => Promise<ReadonlyMap<string, StoredResult>>;
}

const signatureSchema = z.custom<Signature>((value) => isSignature(value as Value), "expected a signature");
const signaturesSchema = z.custom<Value>((value) => asSignatures(value as Value) !== undefined, "expected a list of signatures");
const itemsSchema = z.array(z.unknown()) as z.ZodType<readonly Value[]>;
const anything = z.unknown() as z.ZodType<Value | undefined>;

const plain = (task: string, kwargs: Readonly<Record<string, Value>>, type: string, options = {}): Signature => ({
  task,
  args: [],
  kwargs,
  options,
  subtask_type: type,
  immutable: false,
});

/** Calls a task of this worker once per item, in this slot, as `[task(*item) for item in it]`. */
async function each(
  find: CanvasDeps["find"],
  task: Signature,
  calls: readonly (readonly Value[])[],
  context: TaskContext,
): Promise<unknown[]> {
  const inner = find(task.task);
  if (inner === undefined) throw new TypeError(`task "${task.task}" is not known to this worker`);
  const values: unknown[] = [];
  for (const args of calls) {
    context.signal.throwIfAborted();
    const bound = inner.bind(args, {});
    if ("problem" in bound) throw new TypeError(bound.problem);
    values.push((await inner.run(bound.input, context)) ?? null);
  }
  return values;
}

/** The tasks that Celery's canvas sends under its own names. celery/app/builtins.py */
export function canvasTasks({ find, results }: CanvasDeps): readonly Task[] {
  const accumulate = defineTask({
    name: "celery.accumulate",
    args: z.array(z.unknown()),
    kwargs: z.looseObject({ index: z.number().nullish() }),
    run: ({ args, kwargs }) => (kwargs.index == null ? args : (args[kwargs.index] ?? null)),
  });
  const shape = { task: signatureSchema, it: itemsSchema };
  const map = defineTask({
    name: "celery.map",
    kwargs: z.object(shape),
    run: ({ task, it }, context) =>
      each(
        find,
        task,
        it.map((item) => [item]),
        context,
      ),
  });
  const starmap = defineTask({
    name: "celery.starmap",
    kwargs: z.object(shape),
    run: ({ task, it }, context) =>
      each(
        find,
        task,
        it.map((item) => (Array.isArray(item) ? item : [item])),
        context,
      ),
  });
  const chunks = defineTask({
    name: "celery.chunks",
    kwargs: z.object({ ...shape, n: z.number() }),
    run: ({ task, it, n }, context) => context.send(plain("celery.chunks", { task, it, n }, "chunks")),
  });
  const group = defineTask({
    name: "celery.group",
    kwargs: z.object({ tasks: signaturesSchema, result: anything, group_id: z.string(), partial_args: itemsSchema.optional() }),
    run({ tasks, result, group_id, partial_args = [] }, context) {
      const given = (asSignatures(tasks) ?? []).map((task) => ({ ...task, args: [...partial_args, ...(task.args ?? [])] }));
      context.send(plain("celery.group", { tasks: given }, "group", { task_id: group_id }));
      return result ?? null;
    },
  });
  const chain = defineTask({
    name: "celery.chain",
    run() {
      throw Object.assign(new Error("chain is not a real task"), { pyClass: "builtins.NotImplementedError" });
    },
  });
  const chord = defineTask({
    name: "celery.chord",
    kwargs: z.looseObject({ header: signaturesSchema, body: signatureSchema, partial_args: itemsSchema.optional() }),
    run: ({ header, body, partial_args = [] }, context) =>
      context.send({ ...plain("celery.chord", { kwargs: {}, header, body }, "chord"), args: partial_args }),
  });
  /** Sent by clients whose result backend has no chords of its own: asks until every part is there. */
  const unlock = defineTask({
    name: "celery.chord_unlock",
    ignoreResult: true,
    maxRetries: null,
    kwargs: z.looseObject({ group_id: z.string(), callback: signatureSchema, interval: z.number().nullish(), result: itemsSchema }),
    async run({ callback, interval, result }, context) {
      const ids = result.flatMap(taskIds);
      const rows = await results(ids);
      if (!ids.every((id) => isReady(rows.get(id)?.state ?? "PENDING"))) throw new Retry("not ready", { delayMs: (interval ?? 1) * 1_000 });
      const parts = ids.map((id) => {
        const { state, result: value, error } = rows.get(id) ?? { state: "PENDING", result: null };
        return { taskId: id, state, result: value, ...(error === undefined ? {} : { error }) };
      });
      const joined = joinParts(parts);
      if ("results" in joined) context.send(callback, joined.results);
      else context.failInstead(callback, joined.error);
    },
  });
  /** Results in Redis expire by themselves. */
  const cleanup = defineTask({ name: "celery.backend_cleanup", run: () => null });
  return [accumulate, map, starmap, chunks, group, chain, chord, unlock, cleanup];
}
