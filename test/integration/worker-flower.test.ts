import { afterAll, beforeAll, expect, test } from "vitest";
import { type Flower, startFlower } from "./flower.ts";
import { type Lab, openLab, untilReady, type WorkerProcess } from "./worker-process.ts";

const TASKS = `
import { defineTask, Retry, z } from "longshore";
const until = (signal) => new Promise((_ok, fail) => signal.addEventListener("abort", () => fail(signal.reason)));
export const quick = defineTask({ name: "f.quick", args: z.array(z.unknown()), run: () => "done" });
export const boom = defineTask({ name: "f.boom", run(): never { throw new RangeError("no"); } });
export const flaky = defineTask({ name: "f.flaky", run(_, { retries }) { if (retries < 1) throw new Retry("again", { delayMs: 50 }); return retries; } });
export const tired = defineTask({ name: "f.tired", maxRetries: 1, run(): never { throw new Retry("again", { delayMs: 50, cause: new RangeError("down") }); } });
export const wait = defineTask({ name: "f.wait", run: (_, { signal }) => until(signal) });
`;
/** What Flower's own application knows: only such tasks it can apply by name. */
const APP = `
@app.task(name="f.quick")
def quick(*args): pass
`;
const NODE = "celery@shown";
const SLOW = { timeout: 90_000, interval: 300 };
/** To end a hang, and no sooner. */
const LIMIT = 300_000;

let lab: Lab;
let flower: Flower;
let worker: WorkerProcess;
beforeAll(async () => {
  lab = await openLab("worker-flower", 10, "5.7");
  await lab.declare("q", { "x-queue-type": "quorum" });
  await lab.declare("other", { "x-queue-type": "quorum" });
  worker = await lab.worker({ queues: "q", pod: "shown", concurrency: 8, env: { LONGSHORE_EVENTS: "true" }, tasks: { "f.ts": TASKS } });
  flower = await startFlower(lab, APP);
  await untilReady(worker);
});
afterAll(async () => {
  await flower[Symbol.asyncDispose]();
  await lab[Symbol.asyncDispose]();
});

const shown = async (): Promise<Record<string, unknown>> => {
  const { body } = await flower.get(`/api/workers?refresh=1&workername=${NODE}`);
  return (body as Record<string, Record<string, unknown>>)[NODE] ?? {};
};
const taskOf = async (id: string): Promise<unknown> => (await flower.get(`/api/task/info/${id}`)).body;

test(
  "Flower finds the worker",
  async () => {
    await expect.poll(async () => (await flower.get("/healthcheck")).status, SLOW).toBe(200);
    await expect.poll(async () => (await flower.get("/api/workers?status=1")).body, SLOW).toEqual({ [NODE]: true });
  },
  LIMIT,
);

test(
  "a thousand tasks of all kinds end in their final state in Flower's API",
  async () => {
    const script = `
from celery import chain, uuid
want = {}
revoked = [uuid() for _ in range(100)]
app.control.revoke(revoked, reply=True, timeout=60, destination=["${NODE}"])
def send(state, name, **options):
    want[app.send_task(name, **options).id] = state
for _ in range(300): send("SUCCESS", "f.quick")
for _ in range(150): send("FAILURE", "f.boom")
for _ in range(100): send("SUCCESS", "f.flaky")
for _ in range(50): send("FAILURE", "f.tired")
for id in revoked: send("REVOKED", "f.quick", task_id=id)
for _ in range(100): send("SUCCESS", "f.quick", countdown=2)
for _ in range(100):
    last = chain(app.signature("f.quick"), app.signature("f.quick")).apply_async()
    want[last.id] = want[last.parent.id] = "SUCCESS"
result = want`;
    const want = (await lab.python(script)) as Record<string, string>;
    expect(Object.keys(want)).toHaveLength(1_000);
    const different = async (): Promise<number> => {
      const found = (await flower.get("/api/tasks?limit=2000")).body as Record<string, { readonly state: string }>;
      return Object.entries(want).filter(([id, state]) => found[id]?.state !== state).length;
    };
    await expect.poll(different, { timeout: 280_000, interval: 1_000 }).toBe(0);
  },
  LIMIT,
);

test("every view shows the worker and its tasks", async () => {
  expect(await shown()).toMatchObject({
    active_queues: [{ name: "q" }],
    stats: { pool: { "max-concurrency": 8 } },
    registered: expect.arrayContaining(["f.quick", "f.wait"]),
    active: [],
    reserved: [],
    scheduled: expect.any(Array),
    revoked: expect.any(Array),
    conf: { worker_concurrency: 8 },
  });
  expect(await flower.get("/api/task/types")).toMatchObject({ body: { "task-types": expect.arrayContaining(["f.quick", "f.boom"]) } });
  const [id = ""] = Object.keys((await flower.get("/api/tasks?limit=1&taskname=f.boom")).body as object);
  expect(await taskOf(id)).toMatchObject({ name: "f.boom", state: "FAILURE", exception: "ValueError('no')", worker: NODE });
  for (const page of ["/workers", `/worker/${NODE}`, "/tasks", `/task/${id}`, "/broker"]) {
    expect([page, (await flower.get(page)).status]).toEqual([page, 200]);
  }
  expect((await flower.get("/api/queues/length")).body).toMatchObject({ active_queues: [{ name: "q" }] });
  expect((await flower.get("/metrics")).body).toContain(`flower_worker_online{worker="${NODE}"} 1.0`);
});

test(
  "tasks are applied, sent and asked for",
  async () => {
    expect(await flower.post("/api/task/apply/f.quick", { args: [1] })).toMatchObject({ body: { state: "SUCCESS", result: "done" } });
    for (const how of ["async-apply", "send-task"]) {
      const { body } = await flower.post(`/api/task/${how}/f.quick`, { args: [1] });
      const id = (body as Record<string, string>)["task-id"];
      // Flower reads the state before it waits for the result.
      await expect
        .poll(() => flower.get(`/api/task/result/${id}?timeout=30`), SLOW)
        .toMatchObject({ body: { state: "SUCCESS", result: "done" } });
    }
  },
  LIMIT,
);

test(
  "tasks are revoked before they start, terminated while they run, and aborted",
  async () => {
    const later = String(await lab.python('result = app.send_task("f.quick", countdown=10).id'));
    expect(await flower.post(`/api/task/revoke/${later}`)).toMatchObject({ body: { message: `Revoked '${later}'` } });
    const id = String(await lab.python('result = app.send_task("f.wait").id'));
    await expect.poll(() => taskOf(id), SLOW).toMatchObject({ state: "STARTED" });
    expect(await flower.post(`/api/task/revoke/${id}?terminate=true`)).toMatchObject({ status: 200 });
    for (const gone of [id, later]) await expect.poll(() => taskOf(gone), SLOW).toMatchObject({ state: "REVOKED" });
    const aborted = String(await lab.python('result = app.send_task("f.wait").id'));
    await expect.poll(() => taskOf(aborted), SLOW).toMatchObject({ state: "STARTED" });
    expect(await flower.post(`/api/task/abort/${aborted}`)).toMatchObject({ body: { message: `Aborted '${aborted}'` } });
    expect(await flower.get(`/api/task/result/${aborted}`)).toMatchObject({ body: { state: "ABORTED" } });
    await flower.post(`/api/task/revoke/${aborted}?terminate=true`);
  },
  LIMIT,
);

test.for<[why: string, path: string, want: object]>([
  ["grow", `/api/worker/pool/grow/${NODE}?n=2`, { body: { message: expect.stringContaining("Growing") } }],
  ["shrink", `/api/worker/pool/shrink/${NODE}?n=1`, { body: { message: expect.stringContaining("Shrinking") } }],
  ["restart, as where it is off", `/api/worker/pool/restart/${NODE}`, { status: 403, body: expect.stringContaining("not enabled") }],
  [
    "autoscale, as where it is off",
    `/api/worker/pool/autoscale/${NODE}?min=1&max=4`,
    { status: 403, body: expect.stringContaining("Autoscale not enabled") },
  ],
  ["add a consumer", `/api/worker/queue/add-consumer/${NODE}?queue=other`, { body: { message: "add consumer other" } }],
  ["cancel it", `/api/worker/queue/cancel-consumer/${NODE}?queue=other`, { body: { message: "no longer consuming from other" } }],
  ["time limits", `/api/task/timeout/f.quick?workername=${NODE}&hard=30&soft=20`, { body: { message: "time limits set successfully" } }],
  [
    "a rate limit",
    `/api/task/rate-limit/f.quick?workername=${NODE}&ratelimit=100`,
    { body: { message: "new rate limit set successfully" } },
  ],
])("control: %s", async ([, path, want]) => {
  expect(await flower.post(path)).toMatchObject(want);
});

test("the pool has the size that it was given, and shutdown ends the worker", async () => {
  expect(await shown()).toMatchObject({ stats: { pool: { "max-concurrency": 9 } }, active_queues: [{ name: "q" }] });
  expect(await flower.post(`/api/worker/shutdown/${NODE}`)).toMatchObject({ body: { message: "Shutting down!" } });
  expect(await worker.exit).toBe(0);
});
