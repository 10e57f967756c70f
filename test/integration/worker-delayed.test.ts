import { afterAll, beforeAll, expect, test } from "vitest";
import { type Lab, openLab, untilReady } from "./worker-process.ts";

const TASKS = `
import { defineTask } from "longshore";
export const when = defineTask({ name: "d.when", run: () => Date.now() / 1000 });
`;
/** A producer as Celery's documents have it for quorum queues: a topic exchange, and the queue with its type. */
const PRODUCER = `
from kombu import Exchange
video = Queue("video", Exchange("media", type="topic"), routing_key="video.cut", queue_arguments={"x-queue-type": "quorum"})
app.conf.task_queues = [video]
app.conf.task_default_queue = "video"
app.conf.task_default_exchange = "media"
app.conf.task_default_routing_key = "video.cut"
try: del app.amqp
except AttributeError: pass
`;

let lab: Lab;
beforeAll(async () => {
  lab = await openLab("worker-delayed", 6, "5.7");
  await lab.declare("video", { "x-queue-type": "quorum" });
  const workers = [1, 2].map(() =>
    lab.worker({ queues: "video", tasks: { "d.ts": TASKS }, env: { LONGSHORE_DELAYED_ROUTES: "video=video.cut,video=sound.#" } }),
  );
  await Promise.all((await Promise.all(workers)).map(untilReady));
});
afterAll(() => lab[Symbol.asyncDispose]());

test("a producer's native delayed delivery waits in Celery's own queues, and arrives once, not early", async () => {
  const script = `${PRODUCER}
sent = time.time()
call = app.send_task("d.when", countdown=4)
result = [call.id, sent]`;
  const [id, sent] = (await lab.python(script)) as [string, number];
  const [state, at] = (await lab.python(`result = outcome(app.AsyncResult("${id}"), 60)`)) as [string, number];
  expect(state).toBe("ok");
  expect(at - sent).toBeGreaterThanOrEqual(4);
  expect(await lab.ready("video")).toBe(0);
}, 120_000);

test("what is an hour away waits in the broker, in no worker", async () => {
  await lab.python(`${PRODUCER}\napp.send_task("d.when", countdown=3600)`);
  // 3,600 s begin with the queue of 2^11 s.
  await expect.poll(() => lab.ready("celery_delayed_11"), { timeout: 30_000 }).toBe(1);
});

test("a pattern of a topic is a route too", async () => {
  const script = `${PRODUCER.replaceAll("video.cut", "sound.cut.long")}
result = outcome(app.send_task("d.when", countdown=1), 60)[0]`;
  expect(await lab.python(script)).toBe("ok");
}, 120_000);
