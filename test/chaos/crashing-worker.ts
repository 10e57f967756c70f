import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";
import { pino } from "pino";
import * as z from "zod";
import { connectAmqp } from "../../worker/adapters/amqp.ts";
import { connectRedis } from "../../worker/adapters/redis.ts";
import { workerEnvSchema } from "../../worker/contract/env.ts";
import { startWorker } from "../../worker/engine/worker.ts";
import type { LeaseMode } from "../../worker/leases/leases.ts";
import { LEASE_TIMES } from "../../worker/leases/leases.ts";
import { openPool } from "../../worker/pools/index.ts";
import { systemClock } from "../../worker/system-clock.ts";
import { defineTask, type Task } from "../../worker/tasks/define-task.ts";

/** The worker's own engine and adapters, with short leases and a process that kills itself at one step. Only tests run it. */
const CRASH_AT = process.env["CRASH_AT"];
const MARKS = process.env["MARKS"] ?? "/dev/null";

function crashPoint(step: string): void {
  if (step === CRASH_AT) process.kill(process.pid, "SIGKILL");
}

/** A task whose effect is a line in a file; after it, it publishes nothing. */
const effect = (mode: LeaseMode): Task =>
  defineTask({
    name: `crash.${mode}`,
    mode,
    async run(_input, context) {
      crashPoint("before-effect");
      await context.effect();
      crashPoint("before-act");
      appendFileSync(MARKS, "effect\n");
      crashPoint("after-act");
      return "done";
    },
  });

const sum: Task = defineTask({ name: "crash.sum", args: z.array(z.array(z.string())), run: ([parts = []]) => parts.join() });

const env = workerEnvSchema.parse(process.env);
const log = pino({ level: "warn" });
const store = connectRedis({ url: env.CELERY_RESULT_BACKEND, name: env.POD_NAME, onChange: () => {} });
const broker = connectAmqp({ url: env.CELERY_BROKER_URL, name: env.POD_NAME, onChange: () => {} });
await startWorker({
  env,
  broker,
  store,
  pool: openPool("async", { folder: env.LONGSHORE_TASKS }),
  tasks: new Map([effect("at-most-once"), effect("at-least-once"), sum].map((task) => [task.name, task])),
  clock: systemClock,
  random: Math.random,
  boot: randomUUID(),
  log,
  onShutdown: () => {},
  crashPoint,
  leaseTimes: { ...LEASE_TIMES, leaseMs: 600 },
});
