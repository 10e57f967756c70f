import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { readCommandLine } from "./command-line.ts";
import { workerEnvSchema } from "./contract/env.ts";

const read = (line: string) => readCommandLine(line.split(" ").filter(Boolean), "web1.example.org");
const settings = (line: string) => read(line).settings;
const CREATED = { LONGSHORE_CREATE_QUEUES: "classic" };

test.for<[line: string, want: Record<string, string>]>([
  ["", {}],
  [
    "worker -A ./tasks -Q video_queue,default -c 2 -P threads -n video@%h -l WARNING -E",
    {
      ...CREATED,
      LONGSHORE_TASKS: "./tasks",
      LONGSHORE_QUEUES: "video_queue,default",
      LONGSHORE_CONCURRENCY: "2",
      LONGSHORE_WORKER_POOL: "threads",
      LONGSHORE_NODE_NAME: "video@web1.example.org",
      LONGSHORE_LOG_LEVEL: "warn",
      LONGSHORE_EVENTS: "true",
    },
  ],
  [
    "-A proj worker --concurrency=4 --pool=prefork --hostname=w@%n.%d",
    { ...CREATED, LONGSHORE_CONCURRENCY: "4", LONGSHORE_WORKER_POOL: "prefork", LONGSHORE_NODE_NAME: "w@web1.example.org" },
  ],
  [
    "worker --time-limit 30 --soft-time-limit=20 --max-tasks-per-child 100 --max-memory-per-child 200000 --without-gossip --without-mingle -O fair",
    {
      ...CREATED,
      LONGSHORE_TIME_LIMIT: "30",
      LONGSHORE_SOFT_TIME_LIMIT: "20",
      LONGSHORE_MAX_TASKS_PER_CHILD: "100",
      LONGSHORE_MAX_MEMORY_MB_PER_CHILD: "196",
    },
  ],
])("%s", ([line, want]) => expect(settings(line)).toEqual(want));

test("what is copied from a Celery deployment is taken, and what it asks for in vain is told", () => {
  const line =
    "celery -A proj worker -l info -c4 -Q a,b,c -X b -n name@%h -Ofair -E -C --pool-start-method spawn --heartbeat-interval 5 --logfile=/var/log/w.log --pidfile /run/w.pid --statedb s";
  expect(read(line)).toEqual({
    settings: {
      ...CREATED,
      LONGSHORE_CONCURRENCY: "4",
      LONGSHORE_QUEUES: "a,c",
      LONGSHORE_NODE_NAME: "name@web1.example.org",
      LONGSHORE_LOG_LEVEL: "info",
      LONGSHORE_EVENTS: "true",
    },
    defaults: { LONGSHORE_QUEUES: "celery" },
    unmet: ["--statedb", "--logfile", "--pidfile"],
  });
});

test("the compose file's services are command lines and settings that a worker takes", async () => {
  const text = await readFile(new URL("../manifests/compose.yaml", import.meta.url), "utf8");
  const { services } = parse(text) as { services: Record<string, { command?: string[]; environment?: Record<string, string> }> };
  const [video] = Object.values(services).filter(({ command }) => command?.[0] === "worker");
  const given = { POD_NAME: "p", ...video?.environment, ...readCommandLine(video?.command ?? [], "h").settings };
  expect(Object.keys(video?.environment ?? {}).filter((name) => !(name in workerEnvSchema.shape))).toEqual([]);
  expect(workerEnvSchema.parse(given)).toMatchObject({
    LONGSHORE_QUEUES: ["video_queue"],
    LONGSHORE_CONCURRENCY: 2,
    LONGSHORE_WORKER_POOL: "threads",
  });
});

test.for<[line: string, why: RegExp]>([
  ["worker --autoscale 10,3", /--autoscale is not supported; give --concurrency/],
  ["worker -B", /--beat is not supported; run `celery beat` beside it/],
  ["worker --purge", /--purge is not supported; empty the queues/],
  ["worker -X a", /--exclude-queues without --queues/],
  ["worker --frobnicate", /Unknown option '--frobnicate'; known are --app, --broker/],
  ["beat", /found "beat", expected: worker/],
  ["worker -c", /--concurrency/],
])("%s is refused", ([line, why]) => expect(() => read(line)).toThrow(why));
