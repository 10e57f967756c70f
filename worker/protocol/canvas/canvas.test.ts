import { expect, test } from "vitest";
import { asMessage, type MessageVector, readVectors } from "../../../test/vectors/load.ts";
import { celeryError } from "../celery-errors.ts";
import { encodeTask } from "../encode-task.ts";
import { PyFloat, type Value } from "../json/value.ts";
import { decodeTask } from "../message.ts";
import type { TaskMessage } from "../task-message.ts";
import { afterFailure, afterSuccess, chordBody, chordFailure } from "./canvas.ts";
import { applySignature } from "./canvas-apply.ts";
import type { CanvasContext, CanvasPlan, CanvasStep } from "./canvas-plan.ts";
import type { Signature } from "./signature.ts";

function taskOf(row: MessageVector): TaskMessage {
  const decoded = decodeTask(asMessage(row));
  if (decoded.kind !== "task") throw new Error("no task");
  return decoded.task;
}

const context = (task: TaskMessage): CanvasContext => ({
  parentId: task.id,
  rootId: task.rootId,
  origin: "gen1@here",
  replyTo: "our-queue",
  newId: (seed) => `new:${seed}`,
});

const published = ({ steps }: Pick<CanvasPlan, "steps">) => steps.flatMap((step) => (step.step === "publish" ? [step.task] : []));

/** A message without what differs from run to run: ids that were made anew, who sent it, where answers go. */
function comparable(message: { headers: Readonly<Record<string, unknown>>; body: string }, known: ReadonlySet<string>): unknown {
  const { headers } = message;
  const id = (value: unknown): unknown => (typeof value === "string" && !known.has(value) ? "new" : value);
  const body = message.body
    .replaceAll(/"reply_to": "[^"]*"/g, '"reply_to": ""')
    .replaceAll(/"(new:[^"]*|[0-9a-f]{8}-[^"]*)"/g, (all, found: string) => (known.has(found) ? all : '"new"'));
  const priority = body.replaceAll(/"priority": null, /g, "").replaceAll(/"(parent|root)_id": "[^"]*", /g, "");
  return {
    body: priority,
    headers: { ...headers, id: id(headers["id"]), group: id(headers["group"]), origin: "", argsrepr: "", kwargsrepr: "" },
  };
}

const rows = readVectors<MessageVector>("published");
const successes: readonly [name: string, result: Value][] = [
  ["link", 3],
  ["several links", 3],
  ["link to a group", 3],
  ["chain", new PyFloat(3)],
  ["chain into group", 3],
  ["chain into group into task", 3],
];
const versions = ["5.6.3", "5.7.0"] as const;

test.for(successes.flatMap(([name, result]) => versions.map((version) => ({ name, result, version }))))(
  "after $name, sends what Celery $version sends",
  ({ name, result, version }) => {
    const [first, ...later] = rows.filter((row) => row.name === name && row.version === version);
    if (first === undefined) throw new Error(`no vector ${name}`);
    const task = taskOf(first);
    const plan = published(afterSuccess(task, result, context(task)));
    const children = later.filter(({ headers }) => headers["parent_id"] === task.id && headers["task"] !== "celery_app.tsum");
    expect(plan.length).toBe(children.length);
    const known = new Set(JSON.stringify([first.headers, asMessage(first).body.toString()]).match(/[0-9a-f]{8}-[0-9a-f-]{27}/g));
    const ours = plan.map((each) => {
      const { properties, body } = encodeTask(each);
      return comparable({ headers: properties.headers, body: body.toString() }, known);
    });
    expect(ours).toEqual(children.map((row) => comparable({ headers: row.headers, body: asMessage(row).body.toString() }, known)));
  },
);

test("the second step of a chain carries what is left, and the last an empty list", () => {
  const chain = rows.filter((row) => row.name === "chain" && row.version === "5.6.3");
  const [, second, third] = chain.map(taskOf);
  if (second === undefined || third === undefined) throw new Error("no chain");
  const [next] = published(afterSuccess(second, new PyFloat(6), context(second)));
  expect(next).toMatchObject({ id: third.id, args: ["end"], chain: [], parentId: second.id, rootId: second.rootId });
});

test("a chord out of a chain writes its size before any part, and every part knows the body", () => {
  const first = rows.find((row) => row.name === "chain into group into task");
  if (first === undefined) throw new Error("no vector");
  const task = taskOf(first);
  const { steps, children } = afterSuccess(task, 3, context(task));
  expect(steps.map(({ step }) => step)).toEqual(["chord-size", "publish", "publish"]);
  expect(steps[0]).toMatchObject({ size: 2, groupId: published({ steps })[0]?.group });
  expect(published({ steps }).map(({ chord }) => chord?.task)).toEqual(["celery_app.tsum", "celery_app.tsum"]);
  expect(children).toMatchObject([
    [
      [expect.stringMatching(/-/), null],
      [
        [[expect.any(String), null], null],
        [[expect.any(String), null], null],
      ],
    ],
  ]);
});

test("the body of a chord gets the results in one list, under its own id", () => {
  const parts = rows.filter((row) => row.name === "chord" && row.version === "5.6.3").map(taskOf);
  const [part, , body] = parts;
  if (part?.chord === undefined || body === undefined) throw new Error("no chord");
  const [sent] = published(chordBody(part.chord, [3, 7], { ...context(body), parentId: body.parentId ?? "", rootId: body.rootId }));
  expect(sent).toMatchObject({ id: body.id, args: [[3, 7]], group: body.group, parentId: body.parentId });
  const [report] = afterSuccess(part, 3, context(part)).steps;
  expect(report).toMatchObject({ step: "chord-part", taskId: part.id, groupId: part.group, groupIndex: 0, state: "SUCCESS", result: 3 });
});

const sig = (task: string, options: Record<string, Value> = {}, more: Partial<Signature> = {}): Signature => ({
  task,
  args: [],
  kwargs: {},
  options,
  subtask_type: null,
  immutable: false,
  ...more,
});
const base = taskOf(rows[0] ?? ({} as never));
const error = celeryError("InvalidTaskError", "x");

test("a failure fails every later step, tells their chords, and calls back", () => {
  const chord = sig("body", { task_id: "body" });
  const inner = sig(
    "celery.chord",
    { task_id: "c" },
    { subtask_type: "chord", kwargs: { kwargs: {}, header: [], body: sig("inner", { task_id: "inner" }) } },
  );
  const task: TaskMessage = {
    ...base,
    group: "g",
    groupIndex: 2,
    chord,
    chain: [sig("last", { task_id: "last", chord, group_id: "g2" }), inner, sig("next", { task_id: "next" })],
    errbacks: [sig("known"), sig("elsewhere")],
  };
  const steps = afterFailure(task, error, { ...context(task), takesError: (name) => name === "known" }, "stack");
  const short = (step: CanvasStep): string =>
    `${step.step} ${step.step === "publish" ? `${step.task.name}(${String(step.task.args)})` : "taskId" in step ? step.taskId : ""}`;
  expect(steps.map(short)).toEqual([
    `chord-part ${task.id}`,
    "fail last",
    "chord-part last",
    "fail c",
    "fail next",
    "fail inner",
    `publish known(${String([{}, {}, "stack"])})`,
    `publish elsewhere(${task.id})`,
  ]);
});

test("a failed chord fails its body and what would have followed", () => {
  const body = sig("body", { task_id: "b", link_error: [sig("on_error")], chain: [sig("after", { task_id: "a" })] });
  const steps = chordFailure(body, { error }, context(base));
  expect(steps.map((step) => ("taskId" in step ? step.taskId : step.step))).toEqual(["b", "publish", "a"]);
  const group = sig(
    "celery.group",
    { task_id: "g" },
    { subtask_type: "group", kwargs: { tasks: [sig("one", { task_id: "1" }), sig("two", { task_id: "2" })] } },
  );
  expect(chordFailure(group, { error }, context(base)).map((step) => ("taskId" in step ? step.taskId : ""))).toEqual(["1", "2"]);
});

test("options travel: queue, times, limits, stamps; an immutable signature takes no result", () => {
  const signature = sig(
    "t",
    { task_id: "i", queue: "q", countdown: 5, expires: 9, time_limit: 3, priority: 4, headers: { a: 1 }, stamped_headers: ["s"], s: "v" },
    { immutable: true, args: [1] },
  );
  const [step] = applySignature(signature, ["result"], {}, context(base), "x").steps;
  expect(step).toMatchObject({
    route: { queue: "q", countdown: 5, expires: 9 },
    task: { id: "i", args: [1], timeLimit: { hard: 3 }, priority: 4, headers: { a: 1 }, stampedHeaders: ["s"], stamps: { s: "v" } },
  });
});

test("a repeated plan carries the same ids", () => {
  const task = {
    ...base,
    callbacks: [sig("a"), sig("celery.group", {}, { subtask_type: "group", kwargs: { tasks: [sig("b"), sig("c")] } }), sig("d")],
  };
  const ids = () => published(afterSuccess(task, 1, context(task))).map(({ id }) => id);
  expect(ids()).toEqual(ids());
  expect(new Set(ids()).size).toBe(4);
});

test("map and chunks are tasks of their own", () => {
  const chunks = sig(
    "celery.chunks",
    {},
    {
      subtask_type: "chunks",
      kwargs: {
        task: sig("add"),
        it: [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
        n: 2,
      },
    },
  );
  expect(published(applySignature(chunks, [9], {}, context(base), "x")).map(({ name, kwargs }) => [name, kwargs?.["it"]])).toEqual([
    [
      "celery.starmap",
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ["celery.starmap", [[5, 6]]],
  ]);
});
