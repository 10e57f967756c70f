import { afterAll, beforeAll, expect, test } from "vitest";
import { heartbeatSchema } from "../../worker/contract/heartbeat.ts";
import { heartbeatsKey } from "../../worker/contract/names.ts";
import { type Lab, openLab, untilReady, type WorkerProcess } from "./worker-process.ts";

const TASKS = `
import { defineTask, Ignore, Reject, Retry, z } from "longshore";
class PaymentDeclined extends Error { pyClass = "decimal.InvalidOperation"; }
export const add = defineTask({ name: "demo.add", kwargs: z.object({ x: z.number(), y: z.number() }), run: ({ x, y }) => x + y });
export const boom = defineTask({ name: "demo.boom", run(): never { throw new RangeError("bad value"); } });
export const own = defineTask({ name: "demo.own", run(): never { throw new PaymentDeclined("no"); } });
export const flaky = defineTask({ name: "demo.flaky", run(_, { retries }) { if (retries < 2) throw new Retry("again", { delayMs: 100 }); return retries; } });
export const tired = defineTask({ name: "demo.tired", maxRetries: 1, run(): never { throw new Retry("again", { delayMs: 50, cause: new RangeError("down") }); } });
export const reject = defineTask({ name: "demo.reject", run(): never { throw new Reject("not mine"); } });
export const ignore = defineTask({ name: "demo.ignore", run(): never { throw new Ignore(); } });
export const slow = defineTask({ name: "demo.slow", softTimeLimit: 0.2, run: (_, { signal }) => new Promise((_ok, fail) => signal.addEventListener("abort", () => fail(signal.reason))) });
export const stuck = defineTask({ name: "demo.stuck", timeLimit: 0.2, run: () => new Promise(() => {}) });
let charged = 0;
export const charge = defineTask({ name: "demo.charge", kwargs: z.object({ order: z.string(), euros: z.number().default(1) }),
  idempotencyKey: ({ order }) => order, async run(_, { effect }) { await effect(); charged += 1; return charged; } });
`;

const POLL = { timeout: 30_000 };
let lab: Lab;
let worker: WorkerProcess;
beforeAll(async () => {
  lab = await openLab("worker-celery", 3);
  await lab.declare("dead");
  await lab.declare("q", { "x-queue-type": "quorum", "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead" });
  worker = await lab.worker({ queues: "q", tasks: { "demo.ts": TASKS } });
  await untilReady(worker);
});
afterAll(() => lab[Symbol.asyncDispose]());

const call = (expression: string): Promise<unknown> => lab.python(`result = outcome(app.send_task(${expression}))`);

test.for<[why: string, call: string, want: unknown]>([
  ["keyword arguments", '"demo.add", (), {"x": 1, "y": 2}', ["ok", 3]],
  ["msgpack", '"demo.add", (1, 2), serializer="msgpack"', ["ok", 3]],
  ["YAML", '"demo.add", (1, 2), serializer="yaml"', ["ok", 3]],
  ["a compressed body", '"demo.add", (1, 2), compression="gzip"', ["ok", 3]],
  ["positional arguments fill the schema's keys", '"demo.add", (1, 2)', ["ok", 3]],
  [
    "an argument of the wrong type",
    '"demo.add", ("a", 2)',
    ["builtins.TypeError", "demo.add: kwargs.x: Invalid input: expected number, received string"],
  ],
  ["an error of JavaScript is its Python twin", '"demo.boom"', ["builtins.ValueError", "bad value"]],
  ["an error that names its Python class", '"demo.own"', ["decimal.InvalidOperation", "no"]],
  ["a task that nobody registered", '"demo.nobody"', ["celery.exceptions.NotRegistered", "'demo.nobody'"]],
  ["a retry keeps the id and counts", '"demo.flaky"', ["ok", 2]],
  ["beyond its retries the cause is the failure", '"demo.tired"', ["builtins.ValueError", "down"]],
  ["a countdown waits in the broker", '"longshore.echo", (7,), countdown=1', ["ok", 7]],
  ["expired before it was delivered", '"longshore.echo", (7,), expires=-1', ["celery.exceptions.TaskRevokedError", "expired"]],
  ["a soft limit aborts the signal", '"demo.slow"', ["billiard.exceptions.SoftTimeLimitExceeded", "SoftTimeLimitExceeded('0.2 s',)"]],
  ["a hard limit gives the slot back", '"demo.stuck"', ["billiard.exceptions.TimeLimitExceeded", "TimeLimitExceeded(0.2,)"]],
])("%s", async ([, expression, want]) => {
  expect(await call(expression)).toEqual(want);
});

test("a chain runs step by step, callbacks and error callbacks get their calls, and a broken chain fails to its end", async () => {
  const chain = 'chain(app.signature("demo.add", (1, 2)), app.signature("demo.add", (10,)), app.signature("demo.add", (100,)))';
  expect(await lab.python(`from celery import chain\nresult = outcome(${chain}.apply_async())`)).toEqual(["ok", 113]);
  const linked = `
call = app.signature("demo.add", (1, 2)).apply_async(link=app.signature("demo.add", (5,), task_id="linked-task"))
result = [outcome(call), outcome(app.AsyncResult("linked-task"))]`;
  expect(await lab.python(linked)).toEqual([
    ["ok", 3],
    ["ok", 8],
  ]);
  const broken =
    'from celery import chain\nresult = outcome(chain(app.signature("demo.boom"), app.signature("demo.add", (1,))).apply_async())';
  expect(await lab.python(broken)).toEqual(["builtins.ValueError", "bad value"]);
});

test("a rejected task goes to the dead-letter queue, and its caller is told", async () => {
  const before = await lab.ready("dead");
  expect(await call('"demo.reject"')).toMatchObject([expect.stringContaining("Reject"), expect.anything()]);
  await expect.poll(() => lab.ready("dead"), POLL).toBe(before + 1);
});

test.for([
  ["a body that is no JSON", "{", "application/json", "kombu.exceptions.DecodeError"],
  ["a body of the wrong shape", "[1]", "application/json", "celery.exceptions.InvalidTaskError"],
  ["pickle", "x", "application/x-python-serialize", "kombu.exceptions.ContentDisallowed"],
])("%s is dead-lettered once, and answered when its id is known", async ([, body = "", type = "", want]) => {
  const before = await lab.ready("dead");
  const id = `malformed-${type}-${body.length}`;
  await lab.publish("q", body, { id, task: "demo.add" }, type);
  await expect.poll(() => lab.ready("dead"), POLL).toBe(before + 1);
  const result = await lab.python(`result = outcome(app.AsyncResult(${JSON.stringify(id)}))`);
  expect(result).toMatchObject([want, expect.any(String)]);
  expect(await lab.ready("q")).toBe(0);
});

test("ten calls with one idempotency key have one effect and ten answers; other arguments are a mismatch", async () => {
  const results = await lab.python(`
calls = [app.send_task("demo.charge", (), {"order": "o1"}) for _ in range(10)]
while not all(app.AsyncResult(call.id).ready() for call in calls): time.sleep(0.02)
result = [outcome(app.AsyncResult(call.id)) for call in calls] + [outcome(app.send_task("demo.charge", (), {"order": "o1", "euros": 9}))]`);

  expect(results).toEqual([
    ...Array.from({ length: 10 }, () => ["ok", 1]),
    [expect.stringContaining("IdempotencyKeyMismatch"), expect.stringContaining("other arguments")],
  ]);
});

test("of a thousand tasks none is lost", async () => {
  const script = "result = sum(r.get(timeout=60) for r in [app.send_task('demo.add', (i, 1)) for i in range(1000)])";
  expect(await lab.python(script)).toBe(500_500);
});

test("remote control answers, a cordon stops deliveries without a reconnect bringing them back, and heartbeats say so", async () => {
  const beat = async () => {
    const all = await lab.redis.hgetall(heartbeatsKey({ namespace: "default", name: "local" }));
    return heartbeatSchema.parse(JSON.parse(Object.values(all)[0] ?? "{}"));
  };
  await expect.poll(beat, POLL).toMatchObject({ state: "running", consuming: ["q"], slots: 2, busy: 0, unacked: 0, redelivered: 0 });
  const inspect = (what: string) => lab.python(`result = app.control.${what}`);
  const node = Object.keys((await inspect("inspect(timeout=5, limit=1).ping()")) as object)[0] ?? "";
  expect(node).toMatch(/^celery@/);
  const cancelled = await inspect(`cancel_consumer("q", destination=["${node}"], reply=True)`);
  expect(cancelled).toEqual([{ [node]: { ok: "no longer consuming from q" } }]);
  await expect.poll(beat, POLL).toMatchObject({ state: "draining", consuming: [], unacked: 0 });
  expect((await fetch(`http://127.0.0.1:${worker.httpPort}/readyz`)).status).toBe(200);
  await lab.broker.ctl("close_all_connections", "--vhost", new URL(lab.brokerUrl).pathname.slice(1), "test");
  await expect.poll(() => inspect("inspect(timeout=0.5).ping()"), POLL).not.toBeNull();
  expect(await beat()).toMatchObject({ state: "draining", consuming: [] });
  await inspect(`add_consumer("q", destination=["${node}"], reply=True)`);
  expect(await call('"demo.add", (1, 2)')).toEqual(["ok", 3]);
});
