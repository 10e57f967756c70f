import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type ConfirmChannel, connect } from "amqplib";
import { Redis } from "ioredis";
import { type Broker, type BrokerVersion, broker, type CeleryVersion, python, redis } from "../cluster/cluster.ts";
import { freePorts } from "../cluster/network.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** What one test file works with: a virtual host and a Redis database of its own, and Celery's Python. */
export interface Lab extends AsyncDisposable {
  readonly brokerUrl: string;
  readonly redisUrl: string;
  readonly redis: Redis;
  /** The folder with `celery` and `flower`. */
  readonly bin: string;
  /** A folder that goes with the lab. */
  readonly folder: string;
  readonly broker: Broker;
  declare(queue: string, args?: Record<string, unknown>): Promise<void>;
  /** Messages that are ready in a queue, by a passive declare. */
  ready(queue: string): Promise<number>;
  check(queue: string): Promise<{ readonly ready: number; readonly consumers: number }>;
  publish(queue: string, body: string, headers: Record<string, unknown>, contentType?: string): Promise<void>;
  /** Runs Python lines with `app`, a Celery application that publishes to queue `q`; returns what they assign to `result`, as JSON. One at a time. */
  python(script: string): Promise<unknown>;
  worker(options: WorkerOptions): Promise<WorkerProcess>;
}

export interface WorkerOptions {
  readonly queues: string;
  readonly pod?: string;
  readonly concurrency?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Task modules by file name. */
  readonly tasks?: Readonly<Record<string, string>>;
  /** The command line, as `celery worker` has it. */
  readonly args?: readonly string[];
  /** Which program; the worker itself unless a test needs another. */
  readonly main?: string;
}

export interface WorkerProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly exit: Promise<number | NodeJS.Signals | null>;
  readonly httpPort: number;
}

/** One Python for a whole file: to start one costs a second. */
const PYTHON = `
import json, sys, time
from celery import Celery
from kombu import Queue
app = Celery("lab", broker=sys.argv[1], backend=sys.argv[2])
app.conf.task_default_queue = "q"
app.conf.task_queues = [Queue("q", no_declare=True)]
# RabbitMQ 4.3 refuses transient queues that are not exclusive.
app.conf.control_queue_exclusive = app.conf.event_queue_exclusive = True
def outcome(result, timeout=20):
    try:
        return ["ok", result.get(timeout=timeout)]
    except Exception as error:
        return [type(error).__module__ + "." + type(error).__name__, str(error)]
for line in sys.stdin:
    scope = dict(globals())
    try:
        exec(json.loads(line), scope)
        answer = {"result": scope.get("result")}
    except Exception as error:
        answer = {"error": repr(error)}
    print(json.dumps(answer), flush=True)
`;

function openPython(bin: string, args: readonly string[]): { run(script: string): Promise<unknown>; stop(): void } {
  const child = spawn(join(bin, "python"), ["-c", PYTHON, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async run(script) {
      child.stdin.write(`${JSON.stringify(script)}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error("Python ended");
      const answer = JSON.parse(value) as { readonly result?: unknown; readonly error?: string };
      if (answer.error !== undefined) throw new Error(answer.error);
      return answer.result;
    },
    stop: () => void child.kill(),
  };
}

/** Opens a lab over the shared broker and Redis. `database` keeps files apart that run at the same time. */
export async function openLab(
  name: string,
  database: number,
  celeryVersion: CeleryVersion = "5.6",
  brokerVersion: BrokerVersion = "4.0",
): Promise<Lab> {
  const [shared, store, { bin }] = await Promise.all([broker(brokerVersion), redis(), python(celeryVersion)]);
  const vhost = `${name}-${process.pid}`;
  await shared.ctl("add_vhost", vhost);
  await shared.ctl("set_permissions", "-p", vhost, shared.username, ".*", ".*", ".*");
  const brokerUrl = `${shared.uri.replace(/\/$/, "")}/${vhost}`;
  const redisUrl = store.uri.replace(/0$/, String(database));
  const client = new Redis(redisUrl);
  await client.flushdb();
  /** A connection per call: tests close all connections of the virtual host. */
  const onChannel = async <T>(work: (channel: ConfirmChannel) => Promise<T>): Promise<T> => {
    const model = await connect(brokerUrl);
    try {
      return await work(await model.createConfirmChannel());
    } finally {
      await model.close();
    }
  };
  const processes: WorkerProcess[] = [];
  const folder = await mkdtemp(join(tmpdir(), "longshore-lab-"));
  const celery = openPython(bin, [brokerUrl, redisUrl]);

  return {
    brokerUrl,
    redisUrl,
    redis: client,
    bin,
    folder,
    broker: shared,
    async declare(queue, args = {}) {
      await onChannel((channel) => channel.assertQueue(queue, { durable: true, arguments: args }));
    },
    async check(queue) {
      const { messageCount, consumerCount } = await onChannel((channel) => channel.checkQueue(queue));
      return { ready: messageCount, consumers: consumerCount };
    },
    ready: async (queue) => (await onChannel((channel) => channel.checkQueue(queue))).messageCount,
    async publish(queue, body, headers, contentType = "application/json") {
      await onChannel((channel) => {
        channel.sendToQueue(queue, Buffer.from(body), { headers, contentType, contentEncoding: "utf-8" });
        return channel.waitForConfirms();
      });
    },
    python: (script) => celery.run(script),
    async worker(options) {
      const tasks = await mkdtemp(join(folder, "tasks-"));
      for (const [file, text] of Object.entries(options.tasks ?? {})) await writeFile(join(tasks, file), text);
      const [port = 0] = await freePorts(1);
      const started = startProcess(
        options.main ?? join(ROOT, "worker/main.ts"),
        port,
        {
          LONGSHORE_QUEUES: options.queues,
          LONGSHORE_CONCURRENCY: String(options.concurrency ?? 2),
          LONGSHORE_TASKS: tasks,
          LONGSHORE_HTTP_PORT: String(port),
          LONGSHORE_TERMINATION_LOG: join(tasks, "termination.log"),
          POD_NAME: options.pod ?? `pod-${port}`,
          CELERY_BROKER_URL: brokerUrl,
          CELERY_RESULT_BACKEND: redisUrl,
          ...options.env,
        },
        options.args,
      );
      processes.push(started);
      return started;
    },
    async [Symbol.asyncDispose]() {
      celery.stop();
      await Promise.all(processes.map((process) => process[Symbol.asyncDispose]()));
      await client.flushdb();
      client.disconnect();
      await rm(folder, { recursive: true, force: true });
      await shared.ctl("delete_vhost", vhost);
    },
  };
}

function startProcess(main: string, httpPort: number, env: Readonly<Record<string, string>>, args: readonly string[] = []): WorkerProcess {
  const child = spawn(process.execPath, [main, ...args], { env: { PATH: process.env["PATH"], ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const exit = once(child, "exit").then(([code, signal]: unknown[]) => (code ?? signal) as number | NodeJS.Signals | null);
  return {
    child,
    exit,
    httpPort,
    output: () => text,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exit;
    },
  };
}

/** Waits until the worker says over HTTP that it consumes. Throws with its output when it ended instead. */
export async function untilReady(worker: WorkerProcess): Promise<void> {
  const ended = worker.exit.then((code) => Promise.reject(new Error(`the worker ended with ${String(code)}: ${worker.output()}`)));
  const asking = async (): Promise<void> => {
    for (;;) {
      const answer = await fetch(`http://127.0.0.1:${worker.httpPort}/readyz`).catch(() => undefined);
      if (answer?.ok === true) return;
      await new Promise((resolve) => void setTimeout(resolve, 20));
    }
  };
  await Promise.race([asking(), ended]);
}
