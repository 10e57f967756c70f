import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BrokerVersion, CeleryVersion } from "../cluster/cluster.ts";
import { type Lab, openLab, untilReady } from "./worker-process.ts";

const TASKS = `
import { defineTask, z } from "longshore";
const until = (signal) => new Promise((_ok, fail) => signal.addEventListener("abort", () => fail(signal.reason)));
export const wait = defineTask({ name: "t.wait", run: (_, { signal }) => until(signal) });
export const quick = defineTask({ name: "t.quick", run: () => "done" });
export const paced = defineTask({ name: "t.paced", rateLimit: "2/s", run: () => Date.now() });
`;

/** Celery's own command line, in the Python that runs already: to start another for each command costs seconds. */
const CLI = `
from click.testing import CliRunner
from celery.bin.celery import celery as cli
import celery.bin.celery
def run(*args):
    done = CliRunner().invoke(cli, ["-A", "tools_app", *args])
    return [done.exit_code, done.output]
def ask(*args):
    code, text = run(*args, "--json")
    return json.loads(text[text.index("{"):]) if "{" in text else [code, text]
`;

const NODE = "celery@tools";

describe.for<[CeleryVersion, BrokerVersion, number]>([
  ["5.6", "4.0", 12],
  ["5.7", "4.3", 13],
])("Celery %s's tools on RabbitMQ %s", ([celery, version, database]) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab(`worker-tools-${version.replace(".", "-")}`, database, celery, version);
    await writeFile(
      join(lab.folder, "tools_app.py"),
      `from celery import Celery\nfrom kombu import Queue\napp = Celery("tools", broker="${lab.brokerUrl}", backend="${lab.redisUrl}")\napp.conf.control_queue_exclusive = app.conf.event_queue_exclusive = True\napp.conf.task_default_queue = "q"\napp.conf.task_queues = [Queue("q", no_declare=True)]\n`,
    );
    await lab.python(`sys.path.insert(0, ${JSON.stringify(lab.folder)})`);
    await lab.declare("q", { "x-queue-type": "quorum" });
    await lab.declare("other", { "x-queue-type": "quorum" });
    await untilReady(await lab.worker({ queues: "q", pod: "tools", concurrency: 2, tasks: { "tools.ts": TASKS } }));
  });
  afterAll(() => lab[Symbol.asyncDispose]());

  const python = (script: string): Promise<unknown> => lab.python(CLI + script);
  const of = async (script: string): Promise<unknown> => ((await python(`result = ${script}`)) as Record<string, unknown>)[NODE];
  const inspect = (...args: string[]): Promise<unknown> => of(`ask("inspect", ${args.map((arg) => JSON.stringify(arg)).join(", ")})`);
  const control = (method: string, args: object): Promise<unknown> =>
    of(
      `dict(kv for reply in app.control.broadcast("${method}", arguments=json.loads(${JSON.stringify(JSON.stringify(args))}), reply=True) for kv in reply.items())`,
    );

  test("celery status and inspect", async () => {
    expect(await python('result = run("status")')).toEqual([0, expect.stringContaining("1 node online")]);
    expect(await inspect("ping")).toEqual({ ok: "pong" });
    expect(await inspect("reserved")).toEqual([]);
    expect(await inspect("scheduled")).toEqual([]);
    expect(await inspect("revoked")).toEqual([]);
    expect(await inspect("registered")).toEqual(["longshore.echo", "t.paced [rate_limit=2/s]", "t.quick", "t.wait"]);
    expect(await inspect("stats")).toMatchObject({ pid: expect.any(Number), prefetch_count: 2, pool: { "max-concurrency": 2 } });
    expect(await inspect("active_queues")).toMatchObject([{ name: "q", routing_key: "q" }]);
    expect(await inspect("report")).toMatchObject({ ok: expect.stringContaining("longshore") });
    expect(await inspect("conf")).toMatchObject({ worker_concurrency: 2, task_acks_late: true });
    expect(await inspect("clock")).toMatchObject({ clock: expect.any(Number) });
  });

  test("celery call, result and purge", async () => {
    const [code, id] = (await python('result = run("call", "t.quick")')) as [number, string];
    expect(code).toBe(0);
    expect(await python(`result = outcome(app.AsyncResult("${id.trim()}"))`)).toEqual(["ok", "done"]);
    expect(await python(`result = run("result", "${id.trim()}")`)).toEqual([0, expect.stringContaining("done")]);
    await lab.publish("other", "[]", {});
    expect(await python('result = run("purge", "-f", "-Q", "other")')).toEqual([0, expect.stringContaining("Purged 1 message")]);
  });

  test("what runs is shown, and terminated when told", async () => {
    const id = String(await python('result = app.send_task("t.wait").id'));
    await expect.poll(() => inspect("active"), { timeout: 30_000 }).toMatchObject([{ id, name: "t.wait", hostname: NODE }]);
    expect(await inspect("query_task", id)).toMatchObject({ [id]: ["active", { id }] });
    expect(await control("revoke", { task_id: id, terminate: true })).toEqual({ ok: `terminate: ${id}` });
    expect(await python(`result = outcome(app.AsyncResult("${id}"))`)).toEqual(["celery.exceptions.TaskRevokedError", "terminated"]);
    expect(await inspect("revoked")).toEqual([id]);
  });

  test("a time limit that is set by remote control ends the task", async () => {
    expect(await python('result = run("control", "time_limit", "t.wait", "0.3")')).toEqual([0, expect.stringContaining("successfully")]);
    expect(await python('result = outcome(app.send_task("t.wait"))')).toMatchObject([
      expect.stringContaining("SoftTimeLimitExceeded"),
      expect.anything(),
    ]);
    await control("time_limit", { task_name: "t.wait" });
    expect(await control("time_limit", { task_name: "t.nobody", soft: 1 })).toEqual({ error: "unknown task" });
  });

  test("a rate limit spaces starts, and is taken off by remote control", async () => {
    const script = 'result = sorted(call.get(timeout=20) for call in [app.send_task("t.paced") for _ in range(4)])';
    const starts = (await python(script)) as number[];
    // Three gaps of half a second; each wait in the broker may be late by a little.
    expect((starts.at(-1) ?? 0) - (starts[0] ?? 0)).toBeGreaterThan(1_300);
    expect(await control("rate_limit", { task_name: "t.paced", rate_limit: "0" })).toMatchObject({ ok: expect.any(String) });
    const free = (await python(script)) as number[];
    expect((free.at(-1) ?? 0) - (free[0] ?? 0)).toBeLessThan(1_000);
    expect(await control("rate_limit", { task_name: "t.paced", rate_limit: "many" })).toMatchObject({ error: expect.any(String) });
  });

  test("tasks with a stamp are revoked, before they start and while they run", async () => {
    const send =
      'from celery.canvas import StampingVisitor\nclass Monitor(StampingVisitor):\n  def on_signature(self, sig, **headers): return {"tenant": "acme", "stamped_headers": ["tenant"]}\nsig = app.signature("t.wait")\nsig.stamp(Monitor())\nresult = sig.apply_async().id';
    const id = String(await python(send));
    await expect.poll(() => inspect("active"), { timeout: 30_000 }).toMatchObject([{ id }]);
    expect(await control("revoke_by_stamped_headers", { headers: { tenant: ["acme"] }, terminate: true })).toMatchObject({
      ok: expect.any(String),
    });
    expect(await python(`result = outcome(app.AsyncResult("${id}"))`)).toEqual(["celery.exceptions.TaskRevokedError", "terminated"]);
    const later = String(await python(send));
    expect(await python(`result = outcome(app.AsyncResult("${later}"))`)).toEqual(["celery.exceptions.TaskRevokedError", "revoked"]);
  });

  test("queues come and go, and a queue that is missing is no success", async () => {
    expect(await python('result = run("control", "add_consumer", "other")')).toEqual([0, expect.stringContaining("add consumer other")]);
    expect(await inspect("active_queues")).toMatchObject([{ name: "q" }, { name: "other" }]);
    expect(await python('result = outcome(app.send_task("t.quick", queue=Queue("other", no_declare=True)))')).toEqual(["ok", "done"]);
    expect(await control("cancel_consumer", { queue: "other" })).toEqual({ ok: "no longer consuming from other" });
    expect(await control("add_consumer", { queue: "missing" })).toMatchObject({ error: expect.stringContaining("missing") });
    await control("cancel_consumer", { queue: "missing" });
  });

  test("the pool grows and shrinks, and takes as many tasks as it has slots", async () => {
    expect(await control("pool_grow", { n: 1 })).toEqual({ ok: "pool will grow" });
    const ids = (await python('result = [app.send_task("t.wait").id for _ in range(5)]')) as string[];
    await expect.poll(async () => ((await inspect("active")) as unknown[]).length, { timeout: 30_000 }).toBe(3);
    expect(await control("pool_shrink", { n: 1 })).toEqual({ ok: "pool will shrink" });
    await control("revoke", { task_id: ids, terminate: true });
    await expect.poll(() => inspect("active"), { timeout: 30_000 }).toEqual([]);
    expect(await control("autoscale", { max: 5, min: 1 })).toEqual({ error: "ValueError('Autoscale not enabled')" });
  });
});

test("a worker on several queues holds little more than it has slots, and one busy queue fills them all", async () => {
  await using lab = await openLab("worker-shares", 14);
  const queues = ["q", "b", "c"];
  for (const queue of queues) await lab.declare(queue, { "x-queue-type": "quorum" });
  for (const queue of queues) await lab.python(`for _ in range(20): app.send_task("t.wait", queue=Queue("${queue}", no_declare=True))`);
  const worker = await lab.worker({ queues: queues.join(), pod: "shares", concurrency: 5, tasks: { "tools.ts": TASKS } });
  await untilReady(worker);
  const left = async (): Promise<number> =>
    (await Promise.all(queues.map((queue) => lab.ready(queue)))).reduce((sum, ready) => sum + ready, 0);
  await expect.poll(left, { timeout: 30_000 }).toBeLessThanOrEqual(60 - 5);
  expect(await left()).toBeGreaterThanOrEqual(60 - 7); // one more message per further queue, at most
  await using second = await openLab("worker-one-busy", 15);
  for (const queue of queues) await second.declare(queue, { "x-queue-type": "quorum" });
  const busy = await second.worker({ queues: queues.join(), pod: "busy", concurrency: 5, tasks: { "tools.ts": TASKS } });
  await untilReady(busy);
  await second.python('for _ in range(20): app.send_task("t.wait", queue=Queue("b", no_declare=True))');
  await expect.poll(() => second.ready("b"), { timeout: 30_000 }).toBe(15);
});
