// Before all others: see there.
import "./stop-signal.ts";

import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { pino } from "pino";
import * as z from "zod";
import { connectAmqp } from "./adapters/amqp.ts";
import { connectRedis } from "./adapters/redis.ts";
import { readResults } from "./chords/read-results.ts";
import { readCommandLine } from "./command-line.ts";
import { type WorkerEnv, workerEnvSchema } from "./contract/env.ts";
import { isRpc, TERMINATION_LOG } from "./contract/names.ts";
import { startWorker } from "./engine/worker.ts";
import { openPool } from "./pools/index.ts";
import type { StorePort } from "./ports.ts";
import { isCold, stopNow, stopSignal } from "./stop-signal.ts";
import { type StoreRisk, storeRisk } from "./store-risk.ts";
import { systemClock } from "./system-clock.ts";
import { builtinTasks } from "./tasks/builtin.ts";
import { declaredTasks } from "./tasks/declared/index.ts";
import type { Task } from "./tasks/define-task.ts";
import { loadTasks } from "./tasks/load.ts";
import { withMiddleware } from "./tasks/middleware.ts";

/** EX_CONFIG of sysexits.h: the user has to change something. */
const EXIT_CONFIG = 78;

/** Ends the process over a mistake of its user's, where Kubernetes and people look. */
function refuse(text: string): never {
  process.stderr.write(`${text}\n`);
  try {
    writeFileSync(process.env["LONGSHORE_TERMINATION_LOG"] ?? TERMINATION_LOG, text);
  } catch {
    // Outside Kubernetes there is no such file.
  }
  process.exit(EXIT_CONFIG);
}

function readSettings(): { readonly env: WorkerEnv; readonly unmet: readonly string[] } {
  try {
    const { settings, defaults, unmet } = readCommandLine(process.argv.slice(2), hostname());
    const parsed = workerEnvSchema.safeParse({ POD_NAME: hostname(), ...defaults, ...process.env, ...settings });
    return parsed.success ? { env: parsed.data, unmet } : refuse(z.prettifyError(parsed.error));
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}
const { env, unmet } = readSettings();
/** The Redis of leases and heartbeats. */
const storeUrl = env.LONGSHORE_STORE_URL ?? env.CELERY_RESULT_BACKEND;
if (isRpc(storeUrl)) refuse("LONGSHORE_STORE_URL: not set, expected redis(s)://: with the RPC backend leases need a Redis all the same");
const log = pino({ level: env.LONGSHORE_LOG_LEVEL });
if (unmet.length > 0) log.warn({ options: unmet }, "these options of celery worker do nothing here");
const name = `${env.LONGSHORE_NAMESPACE}/${env.LONGSHORE_POOL}/${env.POD_NAME}`;
const tell = (change: { what: string; up: boolean; error?: string | Error }): void => {
  const reason = change.error instanceof Error ? change.error.message : change.error;
  if (change.up) log.info({ what: change.what }, "connected");
  else log.warn({ what: change.what, reason }, "not connected");
};

let risk: StoreRisk = { clustered: false };
/** Asked anew with each connection: another server may answer, or this one be set otherwise. */
async function look(store: StorePort): Promise<void> {
  const found = storeRisk(String(await store.command("INFO")));
  if (found.clustered) {
    refuse(
      "CELERY_RESULT_BACKEND: found a node of a Redis Cluster, expected one Redis or Sentinels: a task's lease and its result are written together, and lie on different nodes of a cluster",
    );
  }
  if (found.warning !== undefined && found.warning !== risk.warning) log.warn({ risk: found.warning }, "leases are not safe in this store");
  risk = found;
}

const poolOptions = {
  folder: env.LONGSHORE_TASKS,
  ...(env.LONGSHORE_MAX_TASKS_PER_CHILD === undefined ? {} : { maxTasks: env.LONGSHORE_MAX_TASKS_PER_CHILD }),
  ...(env.LONGSHORE_MAX_MEMORY_MB_PER_CHILD === undefined ? {} : { maxMemoryMb: env.LONGSHORE_MAX_MEMORY_MB_PER_CHILD }),
};

async function open() {
  try {
    const { tasks: users, middlewares } = await loadTasks(env.LONGSHORE_TASKS);
    const plain = declaredTasks(env.LONGSHORE_DECLARED_TASKS, { env: process.env, fetch, now: Date.now });
    const declared = plain.map((task) => withMiddleware(task, middlewares));
    const twice = declared.find(({ name }) => users.has(name));
    if (twice !== undefined) throw new Error(`task "${twice.name}" is defined twice: in a module and in LONGSHORE_DECLARED_TASKS`);
    const store = connectRedis({
      url: storeUrl,
      name,
      onChange: (change) => {
        tell({ what: "store", ...change });
        if (change.up) look(store).catch((error: unknown) => log.warn({ err: error }, "the store does not say whether it may evict"));
      },
    });
    const tasks = new Map<string, Task>();
    const own = builtinTasks({ find: (name) => tasks.get(name), results: (ids) => readResults(store, ids) });
    for (const task of [...own, ...users.values(), ...declared]) tasks.set(task.name, task);
    const broker = connectAmqp({
      url: env.CELERY_BROKER_URL,
      name,
      onChange: tell,
      createQueues: env.LONGSHORE_CREATE_QUEUES,
      delayedRoutes: env.LONGSHORE_DELAYED_ROUTES,
    });
    return { tasks, pool: openPool(env.LONGSHORE_WORKER_POOL, poolOptions), broker, store };
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}
const { tasks, pool, broker, store } = await open();

// Told to stop while it began: it has taken nothing yet.
if (stopSignal.aborted) process.exit(0);
const worker = await startWorker({
  env,
  broker,
  store,
  pool,
  tasks,
  clock: systemClock,
  random: Math.random,
  boot: randomUUID(),
  log,
  storeWarning: () => risk.warning,
  onShutdown: stopNow,
});
log.info({ pod: env.POD_NAME, queues: env.LONGSHORE_QUEUES, slots: env.LONGSHORE_CONCURRENCY, tasks: [...tasks.keys()] }, "started");
const end = async (): Promise<void> => {
  await worker.drain({ cold: isCold() });
  await worker[Symbol.asyncDispose]();
  await broker[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
  process.exit(0);
};
if (stopSignal.aborted) await end();
else stopSignal.addEventListener("abort", () => void end());
