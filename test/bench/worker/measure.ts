import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type CeleryWorker, startCeleryWorker } from "../../integration/celery-worker.ts";
import { type Lab, untilReady, type WorkerProcess } from "../../integration/worker-process.ts";
import { drainRate, fill } from "./queue.ts";

/** Where `npm run build` puts the worker: what runs in an image is what is measured. */
const MAIN = fileURLToPath(new URL("../../../dist/worker/main.mjs", import.meta.url));
const BARE = fileURLToPath(new URL("bare-consumer.ts", import.meta.url));

/** The same no-op for both kinds of worker. */
const TASKS = `
import { defineTask } from "longshore";
export const noop = defineTask({ name: "bench.noop", run: () => null });
export const free = defineTask({ name: "bench.free", mode: "none", run: () => null });
`;
const PYTHON_TASKS = `
from celery import Celery
app = Celery("bench")
app.conf.update(task_acks_late=True, worker_redirect_stdouts=False)
@app.task(name="bench.noop")
def noop(): return None
`;

/** Slots of our worker, of BullMQ's, and messages that the bare consumer may hold. */
export const CONCURRENCY = 256;

/** As in the image's entry point. */
const FLAGS = { NODE_OPTIONS: "--max-semi-space-size=8" };

/** One process of our worker on queue `q`. */
export const ourWorker = (lab: Lab): Promise<WorkerProcess> =>
  lab.worker({ queues: "q", concurrency: CONCURRENCY, tasks: { "bench.ts": TASKS }, main: MAIN, env: FLAGS });

/** Celery's prefork pool with two processes on queue `q`. */
export const celeryWorker = (lab: Lab): Promise<CeleryWorker> =>
  startCeleryWorker(lab, "bench-celery", PYTHON_TASKS, ["-P", "prefork", "-c", "2", "-Q", "q", "--without-gossip"]);

/** Tasks per second of our worker: late acks, results in Redis, a lease per task unless the task is `bench.free`. */
export async function ourRate(lab: Lab, count: number, task: "bench.noop" | "bench.free"): Promise<number> {
  await fill(lab.brokerUrl, "q", count, task);
  await using _worker = await ourWorker(lab);
  return await drained(lab, count);
}

/** Tasks per second of Celery's own worker on the same queue. */
export async function celeryRate(lab: Lab, count: number): Promise<number> {
  await fill(lab.brokerUrl, "q", count, "bench.noop");
  await using _worker = await celeryWorker(lab);
  return await drained(lab, count);
}

/** Messages per second that a process takes and acknowledges, one by one; with leases it also asks for one and stores a result for each. */
export async function bareRate(lab: Lab, count: number, leases: boolean): Promise<number> {
  await fill(lab.brokerUrl, "q", count, "bench.noop");
  const store = leases ? [lab.redisUrl] : [];
  const child = spawn(process.execPath, [BARE, lab.brokerUrl, "q", String(CONCURRENCY), ...store], { stdio: "ignore" });
  const ended = once(child, "exit");
  try {
    return await drained(lab, count);
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
}

async function drained(lab: Lab, count: number): Promise<number> {
  const rate = await drainRate(lab.brokerUrl, "q", count);
  await lab.redis.flushdb();
  return rate;
}

/** Each time from `delay()` to the return of `get()` in Python, ms, on a system that does nothing else. */
export async function roundTrips(lab: Lab, start: (lab: Lab) => Promise<AsyncDisposable>, calls: number): Promise<readonly number[]> {
  const worker = await start(lab);
  try {
    if ("httpPort" in worker) await untilReady(worker as WorkerProcess);
    const script = `
for _ in range(20): app.send_task("bench.noop").get(timeout=120)
result = []
for _ in range(${calls}):
    before = time.perf_counter()
    app.send_task("bench.noop").get(timeout=30)
    result.append((time.perf_counter() - before) * 1000)`;
    return (await lab.python(script)) as number[];
  } finally {
    await worker[Symbol.asyncDispose]();
  }
}
