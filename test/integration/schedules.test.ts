import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connect } from "amqplib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Schedule, scheduleKind } from "../../operator/kinds/schedule/schema.ts";
import { resourceOf } from "../../operator/runtime/define-kind.ts";
import { openScheduleStage, type ScheduleStage, type Tick, tickOf } from "./schedule-stage.ts";
import { type Api, awaitObject, startApi } from "./topology-operator.ts";
import { type Lab, openLab, untilReady } from "./worker-process.ts";

const SCHEDULES = resourceOf(scheduleKind);
let api: Api;
let lab: Lab;
let stage: ScheduleStage;
beforeAll(async () => {
  [api, lab] = await Promise.all([startApi(), openLab("schedules", 9)]);
  for (const queue of ["q", "py", "ticks"]) await lab.declare(queue);
  stage = await openScheduleStage(api.server.kubeconfig, { broker: lab.brokerUrl, store: lab.redisUrl });
}, 240_000);
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
  await api?.[Symbol.asyncDispose]();
});

const until = (name: string, wanted: (status: NonNullable<Schedule["status"]>) => boolean) =>
  awaitObject<Schedule>(api.kube, SCHEDULES, "default", name, (object) => wanted(object?.status ?? {}), 180_000);

/** A Python Celery worker on the queue `py`, as anybody has one. */
async function pythonWorker(): Promise<AsyncDisposable> {
  const app = `
from celery import Celery
from kombu import Queue
app = Celery("shop", broker=${JSON.stringify(lab.brokerUrl)}, backend=${JSON.stringify(lab.redisUrl)})
app.conf.task_queues = [Queue("py", no_declare=True)]
app.conf.control_queue_exclusive = app.conf.event_queue_exclusive = True
@app.task(name="shop.join")
def join(*args, **kwargs):
    return [list(args), kwargs]
`;
  await writeFile(join(lab.folder, "shop.py"), app);
  const args = ["-A", "shop", "worker", "-P", "solo", "-Q", "py", "--without-gossip", "--without-mingle", "--loglevel", "error"];
  const child = spawn(join(lab.bin, "celery"), args, { cwd: lab.folder, stdio: "ignore" });
  const ended = once(child, "close");
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

test("a Python worker and a Longshore worker run what schedules publish, and the status says how it ended", async () => {
  await using worker = await lab.worker({ queues: "q" });
  await using _ = await pythonWorker();
  await using operator = stage.operator("one");
  await untilReady(worker);
  const at = [new Date(Date.now() + 2_000).toISOString()];
  await stage.create("python", { at, task: "shop.join", args: [1, "zwei"], kwargs: { drei: [null, true] }, queue: "py" });
  await stage.create("longshore", { at, task: "longshore.echo", args: [7], queue: "q", expires: "1h" });
  await stage.create("nobody", { at, task: "nobody.knows", queue: "q" });
  await stage.create("nowhere", { every: "1s", queue: "no-such-queue" });
  await operator.said("publishing what is due");
  const [python] = await Promise.all([
    until("python", ({ lastResult }) => lastResult === "SUCCESS"),
    until("longshore", ({ lastResult }) => lastResult === "SUCCESS"),
    until("nobody", ({ lastResult }) => lastResult === "FAILURE"),
    until("nowhere", ({ conditions }) => conditions?.[0]?.reason === "QueueMissing"),
  ]);
  const id = python?.status?.lastTaskId ?? "";
  expect(await lab.python(`result = app.AsyncResult(${JSON.stringify(id)}).get(timeout=5)`)).toEqual([[1, "zwei"], { drei: [null, true] }]);
  expect(python?.status?.conditions?.[0]).toMatchObject({ status: "True", reason: "Finished" });
  const { out } = await api.server.kubectl(["get", "schedules"]);
  expect(out).toMatch(/^NAME\s+SCHEDULE\s+SUSPENDED\s+LAST\s+NEXT\s+LAST RESULT/);
  expect(out).toMatch(/nowhere\s+every 1s\s+false/);
  await api.server.kubectl(["annotate", "schedule", "python", "longshore.dev/run-now=again"]);
  const again = await until(
    "python",
    ({ lastRunNow, lastResult, lastTaskId }) => lastRunNow === "again" && lastResult === "SUCCESS" && lastTaskId !== id,
  );
  expect(again?.status?.published).toBe(1);
  await api.server.kubectl(["delete", "schedules", "--all"]);
});

const refused: readonly [what: string, spec: object, because: string][] = [
  ["two kinds of times", { cron: "0 * * * *", every: "1h", queue: "q" }, "exactly one of cron, every and at"],
  ["no times", { queue: "q" }, "exactly one of cron, every and at"],
  ["a cron of four fields", { cron: "0 * * *", queue: "q" }, "spec.cron"],
  ["neither queue nor exchange", { every: "1h" }, "give either queue or exchange"],
  ["both queue and exchange", { every: "1h", queue: "q", exchange: "x" }, "give either queue or exchange"],
  ["a routing key without an exchange", { every: "1h", queue: "q", routingKey: "k" }, "routingKey needs exchange"],
  [
    "an end before the start",
    { every: "1h", queue: "q", startTime: "2026-02-01T00:00:00Z", endTime: "2026-01-01T00:00:00Z" },
    "endTime must be after startTime",
  ],
  ["a time without an offset", { at: ["2026-02-01T00:00:00"], queue: "q" }, "spec.at"],
  ["a policy that does not exist", { every: "1h", queue: "q", catchUp: "All" }, "spec.catchUp"],
];
test.for(refused)("the API refuses %s", async ([, spec, because]) => {
  const refs = { brokerRef: { name: "rabbitmq" }, storeRef: { name: "redis" }, task: "t" };
  const object = { apiVersion: "longshore.dev/v1alpha1", kind: "Schedule", metadata: { name: "refused" }, spec: { ...refs, ...spec } };
  const { code, error } = await api.server.kubectl(["apply", "--dry-run=server", "-f", "-"], JSON.stringify(object));
  expect([code, error]).toEqual([1, expect.stringContaining(because)]);
});

test("the examples are taken", async () => {
  const folder = join(import.meta.dirname, "../../manifests/examples/schedules");
  expect(await api.server.kubectl(["apply", "--dry-run=server", "-f", folder])).toMatchObject({ code: 0, error: "" });
});

/** Takes ticks off the queue until `enough` says so. */
async function collect(enough: (ticks: readonly Tick[]) => boolean): Promise<readonly Tick[]> {
  const model = await connect(lab.brokerUrl);
  try {
    const channel = await model.createChannel();
    const ticks: Tick[] = [];
    const done = Promise.withResolvers<void>();
    await channel.consume(
      "ticks",
      (message) => {
        if (message === null) return;
        ticks.push(tickOf(message.properties.headers ?? {}));
        if (enough(ticks)) done.resolve();
      },
      { noAck: true },
    );
    await done.promise;
    return ticks;
  } finally {
    await model.close();
  }
}

test("a leader that is killed, and one that is told to end, are followed by another: every second has its message", async () => {
  const first = stage.operator("first");
  await stage.create("tick", { every: "1s", catchUp: "FireAll" });
  await first.said("publishing what is due");
  const second = stage.operator("second");
  await second.said("caches are warm");
  await collect((ticks) => ticks.length >= 2);
  await first.end("SIGKILL");
  const killed = performance.now();
  const { at: took } = await second.said("publishing what is due");
  expect(took - killed).toBeLessThan(60_000);
  const third = stage.operator("third");
  await third.said("caches are warm");
  await second.end("SIGTERM");
  await third.said("publishing what is due");
  const now = Date.now();
  const ticks = await collect((all) => all.some(({ due }) => due > now + 1_000));
  await third.end("SIGTERM");
  const dues = [...new Set(ticks.map(({ due }) => due))].toSorted((a, b) => a - b);
  expect(dues).toEqual(dues.map((_, index) => (dues[0] ?? 0) + index * 1_000));
  expect(new Set(ticks.map(({ id }) => id)).size).toBe(dues.length);
  await api.server.kubectl(["delete", "schedules", "--all"]);
}, 240_000);
