import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Lab, openLab, untilReady } from "../integration/worker-process.ts";

const MAIN = fileURLToPath(new URL("crashing-worker.ts", import.meta.url));

const POLL = { timeout: 30_000 };
let lab: Lab;
beforeAll(async () => {
  lab = await openLab("crash-table", 5);
  await lab.declare("q", { "x-queue-type": "quorum" });
});
afterAll(() => lab[Symbol.asyncDispose]());

const DONE = ["ok", "done"];
const UNKNOWN = [expect.stringContaining("EffectUnknown"), expect.stringContaining("once or not at all")];

/** worker.md 5.3: what the next delivery sees, and what the caller gets. */
const TABLE: readonly [at: string, mode: "at-most-once" | "at-least-once", effects: number, caller: unknown][] = [
  ["after-begin", "at-most-once", 1, DONE],
  ["before-effect", "at-most-once", 1, DONE],
  ["before-act", "at-most-once", 0, UNKNOWN],
  ["after-act", "at-most-once", 1, UNKNOWN],
  ["after-run", "at-most-once", 1, UNKNOWN],
  ["before-commit", "at-most-once", 1, UNKNOWN],
  ["after-commit", "at-most-once", 1, DONE],
  ["before-ack", "at-most-once", 1, DONE],
  ["after-begin", "at-least-once", 1, DONE],
  ["before-effect", "at-least-once", 1, DONE],
  ["before-act", "at-least-once", 1, DONE],
  ["after-act", "at-least-once", 2, DONE],
  ["after-run", "at-least-once", 2, DONE],
  ["before-commit", "at-least-once", 2, DONE],
  ["after-commit", "at-least-once", 1, DONE],
  ["before-ack", "at-least-once", 1, DONE],
];

test.for(TABLE)("kill -9 at %s, %s: %i effects", async ([at, mode, effects, caller]) => {
  const MARKS = join(lab.folder, `${at}-${mode}`);
  await using first = await lab.worker({ queues: "q", main: MAIN, env: { MARKS, CRASH_AT: at } });
  const id = await lab.python(`result = app.send_task("crash.${mode}").id`);
  expect(await first.exit).toBe("SIGKILL");
  await using second = await lab.worker({ queues: "q", main: MAIN, env: { MARKS } });
  await untilReady(second);
  expect(await lab.python(`result = outcome(app.AsyncResult("${String(id)}"))`)).toEqual(caller);
  const marks = (await readFile(MARKS, "utf8").catch(() => "")).split("\n").filter(Boolean);
  expect(marks).toHaveLength(effects);
  // The message is settled: when this worker is gone too, nothing is left to deliver.
  const metrics = async (): Promise<string> => await (await fetch(`http://127.0.0.1:${second.httpPort}/metrics`)).text();
  await expect.poll(metrics, POLL).toMatch(/_redelivered [1-9]/);
  await expect.poll(metrics, POLL).toContain("longshore_worker_unacked 0\n");
  second.child.kill("SIGKILL");
  await expect.poll(() => lab.check("q"), POLL).toEqual({ ready: 0, consumers: 0 });
});

test.for(["after-commit", "before-body", "after-body", "after-publish", "before-ack"])(
  "kill -9 at %s of a chord: its body runs, each part has one effect",
  async (at) => {
    const MARKS = join(lab.folder, `chord-${at}`);
    await using first = await lab.worker({ queues: "q", main: MAIN, concurrency: 1, env: { MARKS, CRASH_AT: at } });
    const part = 'app.signature("crash.at-most-once")';
    const id = await lab.python(
      `from celery import chord\nresult = chord([${part}, ${part}], app.signature("crash.sum")).apply_async().id`,
    );
    expect(await first.exit).toBe("SIGKILL");
    await using _second = await lab.worker({ queues: "q", main: MAIN, env: { MARKS } });
    expect(await lab.python(`result = outcome(app.AsyncResult("${String(id)}"))`)).toEqual(["ok", "done,done"]);
    expect((await readFile(MARKS, "utf8")).split("\n").filter(Boolean)).toHaveLength(2);
  },
);
