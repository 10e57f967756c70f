import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chordKeys } from "../../worker/protocol/canvas/chord.ts";
import type { CeleryVersion } from "../cluster/cluster.ts";
import { type Lab, openLab, untilReady } from "./worker-process.ts";

const TASKS = `
import { chain, chord, defineTask, group, immutable, signature, z } from "longshore";
const add = (...args) => signature("c.add", args);
export const one = defineTask({ name: "c.add", kwargs: z.object({ x: z.number(), y: z.number() }), run: ({ x, y }) => x + y });
export const sum = defineTask({ name: "c.sum", args: z.tuple([z.array(z.number())]), run: ([all]) => all.reduce((a, b) => a + b, 0) });
export const same = defineTask({ name: "c.same", args: z.tuple([z.unknown()]), run: ([value]) => value });
export const boom = defineTask({ name: "c.boom", args: z.array(z.unknown()), run(): never { throw new RangeError("no"); } });
let seen = [];
export const told = defineTask({ name: "c.told", args: z.array(z.unknown()), run(args) { seen.push(args); return args; } });
export const swap = defineTask({ name: "c.swap", kwargs: z.object({ how: z.string() }), run({ how }, context) {
  if (how === "task") context.replace(add(20, 1));
  if (how === "chain") context.replace(chain(add(1, 2), add(3)));
  if (how === "group") context.replace(group(add(1, 2), add(3, 4)));
  if (how === "chord") context.replace(chord([add(1, 2), add(3, 4)], signature("c.sum")));
  return how;
} });
export const more = defineTask({ name: "c.more", run(_, context) { context.addToChord(add(100, 0)); return 1; } });
export const sender = defineTask({ name: "c.sender", run: (_, context) => context.send(chord([add(1, 2), add(3, 4)], signature("c.sum"))) });
export const keyed = defineTask({ name: "c.keyed", kwargs: z.object({ x: z.number() }), idempotencyKey: ({ x }) => String(x), run: ({ x }) => x });
export const lost = defineTask({ name: "c.lost", run: (_, context) => context.send({ ...signature("c.add", [1, 2]), options: { queue: "nowhere" } }) });
`;

/** Short names for the scripts below. */
const PYTHON = `
from celery import chain, chord, group
from celery.canvas import chunks, xmap, xstarmap
s = lambda name, *args, **kwargs: app.signature("c." + name, args, kwargs)
add = lambda *args: s("add", *args)
total = s("sum")
`;

describe.for<[CeleryVersion, number]>([
  ["5.6", 10],
  ["5.7", 11],
])("the canvas of Celery %s", ([version, database]) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab(`worker-canvas-${version.replace(".", "-")}`, database, version);
    await lab.declare("q", { "x-queue-type": "quorum" });
    // Two, so that the parts of a chord meet in Redis alone.
    const workers = await Promise.all([1, 2].map(() => lab.worker({ queues: "q", concurrency: 4, tasks: { "canvas.ts": TASKS } })));
    await Promise.all(workers.map(untilReady));
  });
  afterAll(() => lab[Symbol.asyncDispose]());

  const run = (script: string): Promise<unknown> => lab.python(`${PYTHON}${script}`);
  const outcome = (expression: string): Promise<unknown> => run(`result = outcome((${expression}).apply_async())`);

  test.for<[why: string, canvas: string, want: unknown]>([
    ["a group", "group(add(1, 2), add(3, 4))", [3, 7]],
    [
      "a chord, its results in the header's order",
      'chord([add(i, i) for i in range(20)], s("same"))',
      Array.from({ length: 20 }, (_, at) => at * 2),
    ],
    ["a chord of one", "chord([add(1, 2)], total)", 3],
    ["a chord of none", "chord([], total)", 0],
    ["a chain of groups", 'chain(group(add(1, 2), add(3, 4)), group(s("sum"), s("same")))', [10, [3, 7]]],
    ["a group in a chain becomes a chord", "chain(add(1, 2), group(add(1), add(2)), total)", 9],
    ["chords one after the other", "chain(group(add(1, 1), add(2, 2)), total, group(add(1), add(2)), total)", 15],
    // Python's client turns the tasks of a group in a group round.
    ["a chain of groups of groups", "chain(group(add(1, 1), add(2, 2)), total, group(group(add(1), add(2)), add(3)))", [8, 7, 9]],
    ["a chord in a chord", "chord([chord([add(1, 1), add(2, 2)], total), add(3, 3)], total)", 12],
    ["chains in a header", "chord([chain(add(1, 1), add(1)), add(2, 2)], total)", 7],
    ["a group in a header", 'chord([group(add(1, 1), add(2, 2)), add(3, 3)], s("same"))', [4, 2, 6]],
    ["a chain with a group in a header", 'chord([chain(add(1, 1), group(add(1), add(2))), add(5, 5)], s("same"))', [[3, 4], 10]],
    ["a group as the body", 'chord([add(1, 1), add(2, 2)], group(s("sum"), s("same")))', [6, [2, 4]]],
    ["a chain as the body", "chord([add(1, 1), add(2, 2)], chain(total, add(100)))", 106],
    ["map", 'xmap(s("sum"), [[1, 2], [3]], app=app)', [3, 3]],
    ["starmap", 'xstarmap(s("add"), [(1, 2), (3, 4)], app=app)', [3, 7]],
    ["chunks", 'chunks(s("add"), [(i, i) for i in range(5)], 2, app=app)', [[0, 2], [4, 6], [8]]],
    ["replaced by a task", 's("swap", how="task")', 21],
    ["replaced by a chain, in a chain", 'chain(s("swap", how="chain"), add(1000))', 1006],
    ["replaced by a group", 's("swap", how="group")', [3, 7]],
    ["replaced by a chord, in a chord", 'chord([s("swap", how="chord"), add(1, 1)], total)', 12],
    ["a part added to the chord by another", 'chord([s("more"), add(1, 1)], total)', 103],
  ])("%s", async ([, canvas, want]) => {
    expect(await outcome(canvas)).toEqual(["ok", want]);
  });

  const NO = "ValueError('no')";
  test.for<[why: string, canvas: string, want: string]>([
    ["a failed part fails the body", 'chord([add(1, 2), s("boom")], total)', `raised ${NO}`],
    ["a failed part fails what follows the body", 'chain(group(add(1, 2), s("boom")), total, add(1))', `raised ${NO}`],
    ["a failed chain in a header fails the body", 'chord([chain(s("boom"), add(1)), add(1, 2)], total)', `raised ${NO}`],
    [
      "a failed part deep inside fails the outer body",
      'chord([chord([s("boom"), add(1, 1)], total), add(1, 1)], total)',
      "raised ChordError",
    ],
    ["a task that nobody knows fails the body", 'chord([s("nobody"), add(1, 1)], total)', "raised NotRegistered"],
    ["an expired part fails the body", "chord([add(1, 2).set(expires=-1), add(1, 1)], total)", "raised TaskRevokedError"],
  ])("%s", async ([, canvas, want]) => {
    // Without its parents, whose own errors `get()` may raise first.
    const answer = await run(`result = outcome(app.AsyncResult((${canvas}).apply_async().id))`);
    expect(answer).toEqual(["celery.exceptions.ChordError", expect.stringContaining(want)]);
  });

  test("a failed chord calls its error callbacks once", async () => {
    const script = `
call = chord([add(1, 2), s("boom")], s("sum").on_error(s("told").set(task_id="told-${version}"))).apply_async()
told = outcome(app.AsyncResult("told-${version}"))[1] # first: Celery 5.6 does not end to wait for what is a known result's child
result = [told == [call.id], outcome(app.AsyncResult(call.id))[0]]`;
    expect(await run(script)).toEqual([true, "celery.exceptions.ChordError"]);
  });

  test("a chord leaves nothing behind but the mark that it is done", async () => {
    const id = String(
      await run("call = chord([add(1, 2), add(3, 4)], total).apply_async()\ncall.get(timeout=20)\nresult = call.parent.id"),
    );
    const { parts, added, size, seen, claim } = chordKeys(id);
    await expect.poll(() => lab.redis.get(claim)).toBe("done");
    expect(await lab.redis.exists(parts, added, size, seen)).toBe(0);
  });

  test("what a task sends comes after its own success, and its id is the result to wait for", async () => {
    expect(await run('result = outcome(app.AsyncResult(outcome(s("sender").apply_async())[1]))')).toEqual(["ok", 10]);
  });

  test("a task that no queue takes is answered with a failure", async () => {
    const answer = await run('result = outcome(app.AsyncResult(outcome(s("lost").apply_async())[1]))');
    expect(answer).toEqual(["kombu.exceptions.OperationalError", expect.stringContaining("nowhere")]);
  });

  test("a duplicate by key takes part in its own chain and chord", async () => {
    expect(await outcome('chord([s("keyed", x=7), s("keyed", x=7), s("keyed", x=7)], total)')).toEqual(["ok", 21]);
    expect(await outcome('chain(s("keyed", x=7), add(1))')).toEqual(["ok", 8]);
  });

  test("a revoked task ends its chain for everybody", async () => {
    expect(await outcome("chain(add(1, 2).set(expires=-1), add(1))")).toMatchObject([
      "celery.exceptions.TaskRevokedError",
      expect.anything(),
    ]);
  });

  test("a hundred chords at once, none lost", async () => {
    const script =
      "calls = [chord([add(i, 1), add(i, 2), add(i, 3)], total).apply_async() for i in range(100)]\nresult = sum(call.get(timeout=60) for call in calls)";
    expect(await run(script)).toBe(3 * 4_950 + 600);
  });
});
