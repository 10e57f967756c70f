import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Lab, openLab, untilReady } from "./worker-process.ts";

/** Each run leaves a line in the Redis list `ran`. */
const TASKS = `
import { defineTask, z } from "longshore";
import { appendFileSync } from "node:fs";
export const mark = defineTask({ name: "life.mark", kwargs: z.object({ n: z.number(), ms: z.number().default(0) }),
  async run({ n, ms }, { signal }) {
    appendFileSync(process.env.MARKS, "start " + n + "\\n");
    await new Promise((ok, fail) => { const t = setTimeout(ok, ms); signal.addEventListener("abort", () => { clearTimeout(t); fail(signal.reason); }); });
    appendFileSync(process.env.MARKS, "end " + n + "\\n");
    return n;
  } });
`;

const POLL = { timeout: 30_000 };
let lab: Lab;
beforeAll(async () => {
  lab = await openLab("worker-life", 4);
  await lab.declare("q", { "x-queue-type": "quorum" });
});
afterAll(() => lab[Symbol.asyncDispose]());

const marksFile = (name: string): string => join(lab.folder, name);
const lines = async (file: string): Promise<string[]> =>
  (await readFile(file, "utf8").catch(() => "")).split("\n").filter(Boolean).toSorted();
const numbered = (what: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${what} ${n}`).toSorted();

test("SIGTERM lets running tasks finish and leaves the rest in the queue; nothing is lost, nothing runs twice, nothing is redelivered", async () => {
  const MARKS = marksFile("drain");
  const options = { queues: "q", concurrency: 2, tasks: { "life.ts": TASKS }, env: { MARKS } };
  await using first = await lab.worker(options);
  await untilReady(first);
  await lab.python('result = [app.send_task("life.mark", (n,), {"ms": 150}).id for n in range(20)]');
  await expect.poll(() => lines(MARKS), POLL).toContain("end 2");
  first.child.kill("SIGTERM");
  expect(await first.exit).toBe(0);
  const after = await lines(MARKS);
  expect(after.filter((line) => line.startsWith("start"))).toHaveLength(after.length / 2);
  expect(first.output()).toContain('"how":"finished"');
  await expect.poll(() => lab.ready("q"), POLL).toBe(20 - after.length / 2);
  await using second = await lab.worker(options);
  await expect.poll(() => lines(MARKS), POLL).toEqual([...numbered("start", 20), ...numbered("end", 20)].toSorted());
  const metrics = await (await fetch(`http://127.0.0.1:${second.httpPort}/metrics`)).text();
  expect(metrics).toContain("longshore_worker_redelivered 0\n");
});

test("a task that outlives the grace period is aborted and runs again elsewhere", async () => {
  const MARKS = marksFile("grace");
  const options = { queues: "q", concurrency: 1, tasks: { "life.ts": TASKS } };
  await using first = await lab.worker({ ...options, env: { MARKS, LONGSHORE_DRAIN_SECONDS: "0" } });
  await untilReady(first);
  const id = await lab.python('result = app.send_task("life.mark", (0,), {"ms": 1000}).id');
  await expect.poll(() => lines(MARKS), POLL).toEqual(["start 0"]);
  first.child.kill("SIGTERM");
  expect(await first.exit).toBe(0);
  await using _second = await lab.worker({ ...options, env: { MARKS } });
  expect(await lab.python(`result = outcome(app.AsyncResult(${JSON.stringify(id)}))`)).toEqual(["ok", 0]);
  expect(await lines(MARKS)).toEqual(["end 0", "start 0", "start 0"]);
});

test("a second signal ends the process at once", async () => {
  const MARKS = marksFile("second");
  await using worker = await lab.worker({ queues: "q", tasks: { "life.ts": TASKS }, env: { MARKS } });
  await untilReady(worker);
  await lab.python('app.send_task("life.mark", (0,), {"ms": 500})');
  await expect.poll(() => lines(MARKS), POLL).toEqual(["start 0"]);
  worker.child.kill("SIGTERM");
  worker.child.kill("SIGTERM");
  await expect.poll(() => worker.child.exitCode ?? worker.child.signalCode, POLL).not.toBeNull();
});

test.for<[why: string, tasks: Record<string, string>, want: RegExp]>([
  ["that does not parse", { "bad.ts": "const a = 1;\nconst = 2;\n" }, /bad\.ts:2: SyntaxError/],
  ["that throws", { "bad.ts": 'import "longshore";\n\nthrow new Error("no key");\n' }, /bad\.ts:3: Error: no key/],
  ["that imports what is not there", { "bad.js": 'import "nowhere";\n' }, /bad\.js.*nowhere/],
  ["without a task", { "bad.ts": "export const a = 1;\n" }, /bad\.ts: exports no task/],
  ["with a name that is taken", { "a.ts": TASKS, "b.ts": TASKS }, /"life\.mark" is defined twice: in .*a\.ts and in .*b\.ts/],
])("a module %s ends the process with file and line", async ([, tasks, want]) => {
  await using worker = await lab.worker({ queues: "q", tasks, env: { MARKS: "/dev/null" } });
  expect(await worker.exit).toBe(78);
  expect(worker.output()).toMatch(want);
});

test("a wrong setting is named, and no password is shown", async () => {
  await using worker = await lab.worker({ queues: "q", env: { LONGSHORE_CONCURRENCY: "many" } });
  expect(await worker.exit).toBe(78);
  expect(worker.output()).toMatch(/LONGSHORE_CONCURRENCY/);
  const other = await lab.worker({ queues: "q", env: { CELERY_BROKER_URL: "http://user:hunter2@host/" } });
  expect(await other.exit).toBe(78);
  expect(other.output()).toMatch(/CELERY_BROKER_URL: expected amqp/);
  expect(other.output()).not.toContain("hunter2");
});
