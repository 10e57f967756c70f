import { afterAll, beforeAll, expect, test } from "vitest";
import { type CeleryWorker, startCeleryWorker } from "./celery-worker.ts";
import { type Lab, openLab, untilReady } from "./worker-process.ts";

const TASKS = `
import { defineTask, z } from "longshore";
export const add = defineTask({ name: "r.add", args: z.array(z.number()), run: ([x, y]) => x + y });
export const boom = defineTask({ name: "r.boom", args: z.array(z.unknown()), run(): never { throw new RangeError("no"); } });
export const wait = defineTask({ name: "r.wait", run: (_, { signal }) => new Promise((_ok, fail) => signal.addEventListener("abort", () => fail(signal.reason))) });
export const long = defineTask({ name: "r.long", run: () => "x".repeat(5000) });
export const seen = defineTask({ name: "r.seen", run: () => 1 });
`;
/** The same tasks, for the worker that ours is compared with. */
const PYTHON_TASKS = `
from celery import Celery
app = Celery("results")
app.conf.update(task_default_queue="py", result_extended=True, task_track_started=True, result_expires=1000, result_failure_expires=500, worker_redirect_stdouts=False)
@app.task(name="r.add")
def add(x, y): return x + y
@app.task(name="r.boom")
def boom(*args): raise ValueError("no")
`;
const SETTINGS = {
  CELERY_TASK_TRACK_STARTED: "true",
  CELERY_RESULT_EXTENDED: "True",
  CELERY_RESULT_EXPIRES: "1000",
  CELERY_RESULT_FAILURE_EXPIRES: "500",
};

let lab: Lab;
let peer: CeleryWorker;
beforeAll(async () => {
  lab = await openLab("worker-results", 8, "5.7");
  for (const queue of ["q", "packed", "py"]) await lab.declare(queue);
  peer = await startCeleryWorker(lab, "results-app", PYTHON_TASKS, ["-P", "solo", "-Q", "py"]);
  const plain = await lab.worker({ queues: "q", pod: "rows", tasks: { "r.ts": TASKS }, env: SETTINGS });
  const packed = await lab.worker({ queues: "packed", tasks: { "r.ts": TASKS }, env: { CELERY_RESULT_COMPRESSION: "gzip" } });
  await Promise.all([untilReady(plain), untilReady(packed)]);
});
afterAll(async () => {
  await peer[Symbol.asyncDispose]();
  await lab[Symbol.asyncDispose]();
});

/** A row without what differs from run to run, and how long it is kept. */
async function row(id: string, queue: string): Promise<{ text: string; ttl: number }> {
  const key = `celery-task-meta-${id}`;
  const text = String(await lab.redis.get(key))
    .replaceAll(id, "<id>")
    .replace(/"date_done": "[^"]{26,32}"/, '"date_done": "<date>"')
    .replace(/"traceback": "(?:[^"\\]|\\.)*"/, '"traceback": "<traceback>"')
    .replace(/"worker": "[^"]*"/, '"worker": "<node>"')
    .replaceAll(`"queue": "${queue}"`, '"queue": "<queue>"');
  return { text, ttl: await lab.redis.ttl(key) };
}

test.for<[why: string, call: string]>([
  ["a success", '"r.add", (1, 2)'],
  ["a failure", '"r.boom", (1,), {}'],
  ["stamps", '"r.add", (1, 2), stamped_headers=["tenant"], tenant="acme"'],
])("the row of %s is Celery's own, byte for byte, and lives as long", async ([, call]) => {
  const rows = [];
  for (const queue of ["q", "py"]) {
    const script = `call = app.send_task(${call}, queue=Queue("${queue}", no_declare=True))\noutcome(call, 60)\nresult = call.id`;
    rows.push(await row(String(await lab.python(script)), queue));
  }
  const [ours, celerys] = rows;
  expect(ours?.text).toBe(celerys?.text);
  expect(ours?.text).toContain('"name": "r.');
  expect(Math.abs((ours?.ttl ?? 0) - (celerys?.ttl ?? 1_000))).toBeLessThan(60);
});

test.for(["gzip", "bzip2", "brotli", "lzma", "zstd"])("a body that kombu compresses by %s is read", async (method) => {
  const script = `
from kombu.compression import get_encoder
result = [outcome(app.send_task("longshore.echo", ("grüße " * 500,), compression="${method}")) == ["ok", "grüße " * 500], get_encoder("${method}")[1]]`;
  expect(await lab.python(script)).toEqual([true, expect.stringMatching(/^application\//)]);
});

test("a task that runs is STARTED, and says where", async () => {
  const id = String(await lab.python('result = app.send_task("r.wait").id'));
  const state = (): Promise<unknown> =>
    // One look at the info: a second one may find the next state's.
    lab.python(`r = app.AsyncResult("${id}")\ninfo = r.info\nresult = [r.state, r.name, info if isinstance(info, dict) else None]`);
  await expect.poll(state, { timeout: 30_000 }).toEqual(["STARTED", "r.wait", { pid: expect.any(Number), hostname: "celery@rows" }]);
  await lab.python(`app.control.revoke("${id}", terminate=True)`);
  await expect.poll(state, { timeout: 30_000 }).toMatchObject(["REVOKED", "r.wait", null]);
});

test("a success is compressed when told, Python reads it, and nothing overwrites it", async () => {
  const to = 'queue=Queue("packed", no_declare=True)';
  const id = String(
    await lab.python(`call = app.send_task("r.long", ${to})\nresult = call.id if len(call.get(timeout=20)) == 5000 else None`),
  );
  const raw = (await lab.redis.getBuffer(`celery-task-meta-${id}`)) ?? Buffer.alloc(0);
  expect(raw.subarray(0, 38).toString()).toBe("\0celery-compressed\0application/x-gzip\0");
  expect(raw.length).toBeLessThan(400);
  // The same id again, for work that fails: the success stays.
  await lab.python(`app.send_task("r.boom", task_id="${id}", ${to})\nlast = app.send_task("r.add", (1, 1), ${to})\nlast.get(timeout=20)`);
  expect(await lab.python(`result = app.AsyncResult("${id}").state`)).toBe("SUCCESS");
});

test("a compressed row of another program that is no success gives way to a failure", async () => {
  const id = "packed-before";
  const pack = `
from celery.backends.base import compress_payload
row = json.dumps({"status": "RETRY", "result": None, "traceback": None, "children": [], "date_done": None, "task_id": "${id}"})
app.backend.client.set("celery-task-meta-${id}", compress_payload(row, "gzip"))
result = outcome(app.send_task("r.boom", task_id="${id}", queue=Queue("packed", no_declare=True)))`;
  expect(await lab.python(pack)).toEqual(["builtins.ValueError", "no"]);
});
