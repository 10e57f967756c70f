import { expect, test } from "vitest";
import { readCommandLine } from "./command-line.ts";

const read = (line: string) => readCommandLine(line.split(" ").filter(Boolean), "web1.example.org");
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
])("%s", ([line, want]) => expect(read(line)).toEqual(want));

test.for<[line: string, why: RegExp]>([
  ["worker --autoscale 10,3", /--autoscale/],
  ["beat", /found "beat", expected: worker/],
  ["worker -c", /--concurrency/],
])("%s is refused", ([line, why]) => expect(() => read(line)).toThrow(why));
