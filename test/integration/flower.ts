import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePorts } from "../cluster/network.ts";
import type { Lab } from "./worker-process.ts";

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface Flower extends AsyncDisposable {
  /** GET of a page or of the API; what is no JSON comes as text. Status 0 while nobody listens. */
  get(path: string): Promise<Answer>;
  /** POST, with a JSON body where one is given. */
  post(path: string, body?: object): Promise<Answer>;
}

/** A real Flower for the lab's broker, with the Celery application of `app`, Python lines that may add to it. Not yet listening when it returns. */
export async function startFlower(lab: Lab, app: string): Promise<Flower> {
  const { managementUri, username, password } = lab.broker;
  const login = `//${encodeURIComponent(username)}:${encodeURIComponent(password)}@`;
  const module = `from celery import Celery
from kombu import Queue
app = Celery("shown", broker=${JSON.stringify(lab.brokerUrl)}, backend=${JSON.stringify(lab.redisUrl)})
app.conf.control_queue_exclusive = app.conf.event_queue_exclusive = True
# Flower may read late on a slow machine; after five seconds its queue would drop events.
app.conf.event_queue_ttl = 600
app.conf.task_default_queue = "q"
# It asks one worker at a time and takes a second's silence for an error; an answer ends the wait at once.
broadcast = app.control.broadcast
app.control.broadcast = lambda *args, **options: broadcast(*args, **({**options, "timeout": 60} if options.get("destination") else options))
# The queue is there, with a type; Celery would declare it as a classic one.
app.conf.task_queues = [Queue("q", no_declare=True)]
${app}
`;
  await writeFile(join(lab.folder, "shown.py"), module);
  const [port = 0] = await freePorts(1);
  const api = `--broker-api=${managementUri.replace("//", login)}/api/`;
  const options = ["-A", "shown", "flower", `--port=${port}`, "--address=127.0.0.1", "--inspect-timeout=5000", api];
  const child = spawn(join(lab.bin, "celery"), options, {
    cwd: lab.folder,
    env: { PATH: process.env["PATH"], FLOWER_UNAUTHENTICATED_API: "true", PYTHONDONTWRITEBYTECODE: "1" },
    stdio: "ignore",
  });
  const ended = once(child, "exit");
  const ask = async (path: string, init?: RequestInit): Promise<Answer> => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, init).catch(() => undefined);
    if (answer === undefined) return { status: 0, body: undefined };
    const text = await answer.text();
    try {
      return { status: answer.status, body: JSON.parse(text) };
    } catch {
      return { status: answer.status, body: text };
    }
  };
  return {
    get: (path) => ask(path),
    post: (path, body) => ask(path, { method: "POST", ...(body === undefined ? {} : { body: JSON.stringify(body) }) }),
    async [Symbol.asyncDispose]() {
      // While it starts it ignores SIGTERM.
      child.kill("SIGKILL");
      await ended;
    },
  };
}
