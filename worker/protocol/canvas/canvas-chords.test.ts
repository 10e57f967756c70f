import { expect, test } from "vitest";
import { celeryError } from "../celery-errors.ts";
import type { Value } from "../json/value.ts";
import type { TaskMessage } from "../task-message.ts";
import { chordFailure } from "./canvas.ts";
import type { CanvasContext, CanvasStep } from "./canvas-plan.ts";
import { replacement } from "./canvas-replace.ts";
import type { Signature } from "./signature.ts";

const context: CanvasContext = { rootId: "root", origin: "", replyTo: "", newId: (seed) => `new:${seed}` };
const sig = (task: string, options: Record<string, Value> = {}): Signature => ({ task, args: [], kwargs: {}, options });
const many = (type: "group" | "chain", tasks: readonly Signature[], options = {}): Signature => ({
  ...sig(`celery.${type}`, options),
  kwargs: { tasks },
  subtask_type: type,
});
const published = (steps: readonly CanvasStep[]) => steps.flatMap((step) => (step.step === "publish" ? [step.task] : []));
const error = celeryError("ChordError", "x");

test("the error callbacks of a failed chord are children of its body's row", () => {
  const steps = chordFailure(sig("body", { task_id: "b", link_error: [sig("on_error")] }), { error }, context);
  const [call] = published(steps);
  expect(call).toMatchObject({ name: "on_error", args: ["b"] });
  expect(steps[0]).toMatchObject({ step: "fail", taskId: "b", children: [[[call?.group, null], [[[call?.id, null], null]]]] });
});

test("each task of a group body calls its error callbacks, those of a chord in it too, and none of them twice", () => {
  const onError = sig("on_error");
  const chord = {
    ...sig("celery.chord"),
    subtask_type: "chord",
    kwargs: { header: [], body: sig("last", { task_id: "2", link_error: [onError] }) },
  };
  const body = many("group", [sig("one", { task_id: "1", link_error: [onError] }), chord], { link_error: [onError] });
  expect(published(chordFailure(body, { error }, context)).map(({ name }) => name)).toEqual(["on_error", "on_error"]);
});

test("the tasks of a group body get the error behind the chord's", () => {
  const cause = celeryError("InvalidTaskError", "why");
  const [row] = chordFailure(many("group", [sig("one", { task_id: "1" })]), { error, cause }, context);
  expect(row).toMatchObject({ taskId: "1", error: cause });
  expect(chordFailure(sig("body", { task_id: "b" }), { error, cause }, context)).toMatchObject([{ taskId: "b", error }]);
});

test("a task replaced by a group of one has a list as its result; an empty chain cannot replace it", () => {
  const task = { id: "t", rootId: "root", replacedTaskNesting: 0, chain: [], callbacks: [], errbacks: [] } as unknown as TaskMessage;
  const group = many("group", [sig("one")]);
  const [first] = published(replacement(task, group, context).steps);
  expect(first).toMatchObject({ name: "one", chord: { task: "celery.accumulate", options: { task_id: "t" } } });
  const [zero] = published(replacement(task, many("chain", [sig("zero"), group]), context).steps);
  expect(zero?.chain).toMatchObject([{ task: "celery.chord", options: { task_id: "t" }, kwargs: { body: { task: "celery.accumulate" } } }]);
  expect(() => replacement(task, many("chain", []), context)).toThrow("Cannot replace with an empty chain");
});
