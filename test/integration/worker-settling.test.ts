import { connect } from "amqplib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Lab, openLab, untilReady } from "./worker-process.ts";

const TASKS = `
import { defineTask, Reject, z } from "longshore";
const wait = (ms, signal) => new Promise((ok, fail) => { const t = setTimeout(ok, ms); signal.addEventListener("abort", () => { clearTimeout(t); fail(signal.reason); }); });
const kwargs = z.object({ n: z.number() });
export const refuses = defineTask({ name: "s.refuses", run(): never { throw new Reject("not mine"); } });
export const spins = defineTask({ name: "s.spins", run(): never { throw new Reject("later", { requeue: true }); } });
export const fails = defineTask({ name: "s.fails", acksOnFailureOrTimeout: false, run(): never { throw new RangeError("bad"); } });
export const early = defineTask({ name: "s.early", acksLate: false, run: (_, { signal, redelivered }) => wait(process.env.FIRST === "yes" ? 600_000 : 0, signal).then(() => "early") });
export const late = defineTask({ name: "s.late", run: (_, { signal }) => wait(process.env.FIRST === "yes" ? 600_000 : 0, signal).then(() => "late") });
export const paced = defineTask({ name: "s.paced", kwargs, globalRateLimit: { rate: "5/s" }, run: () => Date.now() / 1_000 });
`;
const tasks = { "settling.ts": TASKS };
const AROUND = `
import { defineMiddleware, defineTask, signature } from "longshore";
export const stamp = defineMiddleware({ name: "stamp", async around({ task }, next) { return task === "a.seen" ? ["stamped", await next()] : await next(); } });
export const seen = defineTask({ name: "a.seen", run: (_, { request }) => request.headers.traceparent ?? null });
export const sends = defineTask({ name: "a.sends", run: (_, { send }) => send(signature("a.seen")) });
`;
let lab: Lab;
beforeAll(async () => {
  lab = await openLab("worker-settling", 8);
  await lab.declare("q", { "x-queue-type": "quorum" });
  await lab.declare("dead");
});
afterAll(() => lab[Symbol.asyncDispose]());

async function deadLetters(): Promise<Record<string, unknown>[]> {
  const model = await connect(lab.brokerUrl);
  try {
    const channel = await model.createChannel();
    const found: Record<string, unknown>[] = [];
    for (;;) {
      const message = await channel.get("dead", { noAck: true });
      if (message === false) return found;
      found.push(message.properties.headers ?? {});
    }
  } finally {
    await model.close();
  }
}

test("dead letters say why: a refusal, a failure that does not acknowledge, a message that comes back for ever, one that is no task", async () => {
  const env = { LONGSHORE_DEAD_LETTER_EXCHANGE: "", LONGSHORE_DEAD_LETTER_ROUTING_KEY: "dead", LONGSHORE_DELIVERY_LIMIT: "2" };
  await using worker = await lab.worker({ queues: "q", pod: "settler", tasks, env });
  await untilReady(worker);
  const script = 'result = [outcome(app.send_task(name))[0] for name in ["s.refuses", "s.fails", "s.spins", "s.nobody"]]';
  expect(await lab.python(script)).toEqual([
    "celery.exceptions.Reject",
    "builtins.ValueError",
    expect.stringContaining("DeliveryLimitExceeded"),
    "celery.exceptions.NotRegistered",
  ]);
  await lab.publish("q", "no json", { task: "s.late", id: "broken" });
  await expect.poll(() => lab.ready("dead"), { timeout: 30_000 }).toBe(5);
  // A result is stored before its dead letter is published: the next task may overtake it.
  const found = (await deadLetters()).toSorted((a, b) =>
    String(a["longshore-death-reason"]).localeCompare(String(b["longshore-death-reason"])),
  );
  expect(found.map((headers) => [headers["longshore-death-reason"], headers["longshore-death-error"]])).toEqual([
    ["delivery-limit", expect.stringContaining("came back 2 times")],
    ["failed", "ValueError('bad')"],
    ["malformed", expect.stringContaining("cannot be read")],
    ["not-registered", "NotRegistered('s.nobody')"],
    ["rejected", "not mine"],
  ]);
  expect(found.at(-1)).toMatchObject({ task: "s.refuses", "longshore-death-queue": "q", "longshore-death-worker": "celery@settler" });
});

test("SIGQUIT stops cold: what runs goes back at once, also what was acknowledged before it ran", async () => {
  await using first = await lab.worker({ queues: "q", tasks, env: { FIRST: "yes" } });
  await untilReady(first);
  const ids = await lab.python('result = [app.send_task(name).id for name in ["s.early", "s.late"]]');
  const active =
    "result = [t['acknowledged'] for tasks in (app.control.inspect(timeout=1).active() or {}).values() for t in sorted(tasks, key=lambda t: t['name'])]";
  await expect.poll(() => lab.python(active), { timeout: 30_000 }).toEqual([true, false]);
  first.child.kill("SIGQUIT");
  expect(await first.exit).toBe(0);
  await using second = await lab.worker({ queues: "q", tasks });
  await untilReady(second);
  expect(await lab.python(`result = [outcome(app.AsyncResult(id)) for id in ${JSON.stringify(ids)}]`)).toEqual([
    ["ok", "early"],
    ["ok", "late"],
  ]);
});

test("a rate that two workers share is exact: no start comes before its place", async () => {
  await using one = await lab.worker({ queues: "q", pod: "one", tasks });
  await using two = await lab.worker({ queues: "q", pod: "two", tasks });
  await Promise.all([untilReady(one), untilReady(two)]);
  const script = `
began = time.time()
calls = [app.send_task("s.paced", (), {"n": n}) for n in range(10)]
result = sorted(call.get(timeout=50) - began for call in calls)`;
  const starts = (await lab.python(script)) as number[];
  // Three clocks of one machine, one of them cut to milliseconds.
  starts.forEach((start, place) => expect(start).toBeGreaterThanOrEqual(place * 0.2 - 0.005));
});

test("a middleware stands around tasks in threads, and a producer's trace reaches what its task sends", async () => {
  await using worker = await lab.worker({ queues: "q", tasks: { "around.ts": AROUND }, env: { LONGSHORE_WORKER_POOL: "threads" } });
  await untilReady(worker);
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const script = `
child = app.send_task("a.sends", headers={"traceparent": "${traceparent}"}).get(timeout=30)
result = [outcome(app.AsyncResult(child)), outcome(app.send_task("a.seen"))]`;
  expect(await lab.python(script)).toEqual([
    ["ok", ["stamped", traceparent]],
    ["ok", ["stamped", null]],
  ]);
});
