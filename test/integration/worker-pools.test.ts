import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { heartbeatSchema } from "../../worker/contract/heartbeat.ts";
import { heartbeatsKey } from "../../worker/contract/names.ts";
import { type Lab, openLab, untilReady, type WorkerProcess } from "./worker-process.ts";

const TASKS = `
import { defineTask, Reject, Retry, signature, z } from "longshore";
const block = (ms) => { const end = Date.now() + ms; while (Date.now() < end); };
class Own extends Error { pyClass = "decimal.InvalidOperation"; }
export const echo = defineTask({ name: "p.echo", args: z.tuple([z.unknown()]), run: ([value]) => value });
export const hog = defineTask({ name: "p.hog", kwargs: z.object({ ms: z.number() }), async run({ ms }, { effect }) { await effect(); block(ms); return "done"; } });
export const endless = defineTask({ name: "p.endless", timeLimit: 0.5, run() { block(600_000); } });
export const stubborn = defineTask({ name: "p.stubborn", run() { block(600_000); } });
export const polite = defineTask({ name: "p.polite", softTimeLimit: 0.2, run: (_, { signal }) => new Promise((_ok, fail) => signal.addEventListener("abort", () => fail(signal.reason))) });
export const own = defineTask({ name: "p.own", run(): never { throw new Own("no"); } });
export const flaky = defineTask({ name: "p.flaky", run(_, { retries }) { if (retries < 2) throw new Retry("again", { delayMs: 50 }); return retries; } });
export const auto = defineTask({ name: "p.auto", autoretryFor: [RangeError], maxRetries: 1, defaultRetryDelay: 0, run(): never { throw new RangeError("bad"); } });
export const reject = defineTask({ name: "p.reject", run(): never { throw new Reject("not mine"); } });
export const dies = defineTask({ name: "p.dies", run() { process.exit(3); } });
export const diesLate = defineTask({ name: "p.dies_late", async run(_, { effect }) { await effect(); process.exit(3); } });
export const chained = defineTask({ name: "p.sends", run: (_, context) => context.send(signature("p.echo", ["sent"])) });
export const swap = defineTask({ name: "p.swap", run: (_, context) => context.replace(signature("p.echo", ["swapped"])) });
export const pid = defineTask({ name: "p.pid", run: () => process.pid });
`;

describe.for<[pool: string, database: number]>([
  ["threads", 10],
  ["processes", 11],
])("the pool of %s", ([pool, database]) => {
  let lab: Lab;
  let worker: WorkerProcess;
  beforeAll(async () => {
    lab = await openLab(`worker-${pool}`, database);
    await lab.declare("q", { "x-queue-type": "quorum" });
    worker = await lab.worker({
      queues: "q",
      pod: pool,
      concurrency: 2,
      tasks: { "pools.ts": TASKS },
      env: { LONGSHORE_WORKER_POOL: pool, LONGSHORE_MAX_TASKS_PER_CHILD: "20" },
    });
    await untilReady(worker);
  });
  afterAll(() => lab[Symbol.asyncDispose]());

  test.for<[why: string, call: string, want: unknown]>([
    ["values keep their types", '"p.echo", ([1, 2.5, None, 2**70, "ü", {"a": True}],)', ["ok", [1, 2.5, null, 2 ** 70, "ü", { a: true }]]],
    ["a hard limit ends a task that never yields", '"p.endless"', ["billiard.exceptions.TimeLimitExceeded", "TimeLimitExceeded(0.5,)"]],
    ["a soft limit aborts the signal", '"p.polite"', ["billiard.exceptions.SoftTimeLimitExceeded", expect.stringContaining("0.2 s")]],
    ["an error keeps its Python class", '"p.own"', ["decimal.InvalidOperation", "no"]],
    ["a retry", '"p.flaky"', ["ok", 2]],
    ["errors that retry by themselves", '"p.auto"', ["builtins.ValueError", "bad"]],
    ["a reject", '"p.reject"', [expect.stringContaining("Reject"), expect.stringContaining("not mine")]],
    ["wrong arguments", '"p.hog", (), {"ms": "x"}', ["builtins.TypeError", expect.stringContaining("kwargs.ms")]],
    ["a replacement", '"p.swap"', ["ok", "swapped"]],
    ["a task that kills what runs it, twice", '"p.dies"', ["billiard.exceptions.WorkerLostError", expect.stringContaining("ended with 3")]],
    ["one that dies after its effect began", '"p.dies_late"', [expect.stringContaining("EffectUnknown"), expect.anything()]],
  ])("%s", async ([, call, want]) => {
    expect(await lab.python(`result = outcome(app.send_task(${call}))`)).toEqual(want);
  });

  test("what a task sends is sent", async () => {
    expect(await lab.python('result = outcome(app.AsyncResult(outcome(app.send_task("p.sends"))[1]))')).toEqual(["ok", "sent"]);
  });

  test("a task that blocks its loop for longer than heartbeats are fresh silences nothing and keeps its lease", async () => {
    const key = heartbeatsKey({ namespace: "default", name: "local" });
    const seq = async (): Promise<number> => heartbeatSchema.parse(JSON.parse((await lab.redis.hget(key, pool)) ?? "null")).seq;
    const before = await seq();
    const id = String(await lab.python('result = app.send_task("p.hog", (), {"ms": 3000}).id'));
    await expect.poll(async () => (await lab.redis.hget(key, pool)) ?? "", { timeout: 30_000 }).toContain('"busy":1');
    expect(await lab.python('result = outcome(app.send_task("p.echo", ("beside",)))')).toEqual(["ok", "beside"]);
    expect(await lab.python("result = [list(r.values())[0] for r in app.control.ping(timeout=5, limit=1)]")).toEqual([{ ok: "pong" }]);
    expect(await lab.python(`result = outcome(app.AsyncResult("${id}"))`)).toEqual(["ok", "done"]);
    expect(await seq()).toBeGreaterThan(before + 4);
  });

  test("remote control ends a task that never yields", async () => {
    const id = String(await lab.python('result = app.send_task("p.stubborn").id'));
    const active = "result = [task['id'] for tasks in (app.control.inspect(timeout=1).active() or {}).values() for task in tasks]";
    await expect.poll(() => lab.python(active), { timeout: 30_000 }).toEqual([id]);
    await lab.python(`app.control.revoke("${id}", terminate=True)`);
    expect(await lab.python(`result = outcome(app.AsyncResult("${id}"))`)).toEqual(["celery.exceptions.TaskRevokedError", "terminated"]);
  });

  // To start a child takes a second of computing, and many times that on a busy machine.
  test("sixty tasks through children that are replaced every twenty tasks: none lost", { timeout: 240_000 }, async () => {
    const script = "result = sum(r.get(timeout=200) for r in [app.send_task('p.echo', (i,)) for i in range(60)])";
    expect(await lab.python(script)).toBe(1_770);
  });

  test("TERM drains", async () => {
    const id = String(await lab.python('result = app.send_task("p.hog", (), {"ms": 1000}).id'));
    const key = heartbeatsKey({ namespace: "default", name: "local" });
    await expect.poll(async () => (await lab.redis.hget(key, pool)) ?? "", { timeout: 30_000 }).toContain('"busy":1');
    worker.child.kill("SIGTERM");
    expect(await worker.exit).toBe(0);
    expect(await lab.python(`result = outcome(app.AsyncResult("${id}"))`)).toEqual(["ok", "done"]);
  });
});
