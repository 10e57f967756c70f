import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bundleWorker } from "../../worker/bundle.ts";
import type { BrokerVersion, CeleryVersion } from "../cluster/cluster.ts";
import { openLab, untilReady } from "./worker-process.ts";

const TASKS = `
import { defineTask, z } from "longshore";
export const add = defineTask({ name: "w.add", kwargs: z.object({ x: z.number(), y: z.number() }), run: ({ x, y }) => x + y });
export const boom = defineTask({ name: "w.boom", run(): never { throw new RangeError("no"); } });
export const keyed = defineTask({ name: "w.keyed", kwargs: z.object({ x: z.number() }), idempotencyKey: ({ x }) => String(x), run: ({ x }) => x });
export const slow = defineTask({ name: "w.slow", run: () => new Promise(() => {}) });
`;

test("the command line of celery worker: names, queues that it creates, limits, a pool", async () => {
  await using lab = await openLab("worker-command", 14);
  const node = `video@${hostname()}`;
  const line = "worker -A proj -Q fresh,q -c 3 -P threads -n video@%h -E --time-limit 1 --without-gossip -O fair -l WARNING";
  const worker = await lab.worker({ queues: "other", tasks: { "tasks.ts": TASKS }, args: line.split(" ") });
  await untilReady(worker);
  expect(await lab.python('result = outcome(app.send_task("w.add", (1, 2)))')).toEqual(["ok", 3]);
  const created =
    'result = outcome(app.send_task("w.add", (1, 2), queue=Queue("fresh", no_declare=True), exchange="fresh", routing_key="fresh"))';
  expect(await lab.python(created)).toEqual(["ok", 3]);
  expect(await lab.python('result = outcome(app.send_task("w.slow"))')).toMatchObject([
    expect.stringContaining("TimeLimitExceeded"),
    expect.anything(),
  ]);
  expect(await lab.python("result = app.control.inspect(timeout=2).stats()")).toMatchObject({
    [node]: { pool: { implementation: "threads", "max-concurrency": 3 } },
  });
  expect(await lab.python("result = app.control.broadcast('enable_events', reply=True)")).toEqual([
    { [node]: { ok: "task events already enabled" } },
  ]);
  const copied = "celery -A proj worker -l info -n copied@%h --logfile=/var/log/celery.log --without-heartbeat";
  const plain = await lab.worker({ queues: "q", tasks: { "tasks.ts": TASKS }, args: copied.split(" ") });
  await untilReady(plain);
  expect(plain.output()).toContain("--logfile");
  const wrong = await lab.worker({ queues: "q", args: ["worker", "--autoscale=10,3"] });
  expect(await wrong.exit).toBe(78);
  expect(wrong.output()).toContain("--autoscale");
});

describe.for<[CeleryVersion, BrokerVersion, number]>([
  ["5.6", "4.0", 12],
  ["5.7", "4.3", 13],
])("the RPC backend of Celery %s on RabbitMQ %s", ([celery, version, database]) => {
  test("results go to the client's own queue", async () => {
    await using lab = await openLab(`worker-rpc-${version.replace(".", "-")}`, database, celery, version);
    await lab.declare("q", { "x-queue-type": "quorum" });
    const env = { CELERY_RESULT_BACKEND: "rpc://", LONGSHORE_STORE_URL: lab.redisUrl };
    await untilReady(await lab.worker({ queues: "q", tasks: { "tasks.ts": TASKS }, env }));
    const script = `
from celery import chain
rpc = Celery("rpc", broker=sys.argv[1], backend="rpc://")
rpc.conf.task_default_queue = "q"
rpc.conf.task_queues = [Queue("q", no_declare=True)]
add = lambda *args: rpc.signature("w.add", args)
result = [
    outcome(rpc.send_task("w.add", (1, 2))),
    outcome(rpc.send_task("w.boom")),
    outcome(rpc.send_task("w.nobody")),
    outcome(rpc.send_task("w.add", ("x", 2)))[0],
    outcome(rpc.send_task("w.add", (1, 2), expires=-1)),
    outcome(chain(add(1, 2), add(3), add(4)).apply_async()),
    outcome(chain(rpc.signature("w.boom"), add(3)).apply_async())[1],
    [outcome(rpc.send_task("w.keyed", (), {"x": 5})) for _ in range(3)],
    sum(call.get(timeout=20) for call in [rpc.send_task("w.add", (i, 1)) for i in range(100)]),
]`;
    expect(await lab.python(script)).toEqual([
      ["ok", 3],
      ["builtins.ValueError", "no"],
      ["celery.exceptions.NotRegistered", "'w.nobody'"],
      "builtins.TypeError",
      ["celery.exceptions.TaskRevokedError", "expired"],
      ["ok", 10],
      "no",
      Array.from({ length: 3 }, () => ["ok", 5]),
      5_050,
    ]);
  });
});

test("the bundle of the image runs threads, and finds every script", async () => {
  await using lab = await openLab("worker-bundle", 15);
  await lab.declare("q", { "x-queue-type": "quorum" });
  const out = join(lab.folder, "bundle");
  await bundleWorker(out);
  const worker = await lab.worker({
    queues: "q",
    tasks: { "tasks.ts": TASKS },
    main: join(out, "main.mjs"),
    args: ["worker", "-P", "threads"],
  });
  await untilReady(worker);
  const script = `
from celery import chord
call = chord([app.signature("w.add", (1, 2)), app.signature("w.add", (3, 4))], app.signature("celery.accumulate", kwargs={"index": 0})).apply_async()
result = outcome(call)`;
  expect(await lab.python(script)).toEqual(["ok", [3, 7]]);
});
