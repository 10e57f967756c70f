import { parseArgs } from "node:util";
import type { WorkerEnv } from "./contract/env.ts";

type Setting = Partial<Record<keyof WorkerEnv, string>>;
const text = (short?: string) => ({ type: "string", ...(short === undefined ? {} : { short }) }) as const;
const flag = (short?: string) => ({ type: "boolean", ...(short === undefined ? {} : { short }) }) as const;

/** `celery worker`'s options, under its names. celery/bin/worker.py, celery/bin/celery.py */
const OPTIONS = {
  app: text("A"),
  broker: text("b"),
  "result-backend": text(),
  queues: text("Q"),
  concurrency: text("c"),
  pool: text("P"),
  hostname: text("n"),
  loglevel: text("l"),
  "task-events": flag("E"),
  events: flag(),
  "time-limit": text(),
  "soft-time-limit": text(),
  "max-tasks-per-child": text(),
  "max-memory-per-child": text(),
  optimization: text("O"),
  "prefetch-multiplier": text(),
  "without-gossip": flag(),
  "without-mingle": flag(),
  "without-heartbeat": flag(),
} as const;

/** Celery's levels; the others have the same name here. */
const LEVELS: Readonly<Record<string, string>> = { warning: "warn", critical: "error", fatal: "error" };

/** `%h` host name, `%n` the part before its first dot, `%d` the rest. celery/utils/nodenames.py */
function nodeName(pattern: string, host: string): string {
  const [first = "", ...rest] = host.split(".");
  const table: Readonly<Record<string, string>> = { "%h": host, "%n": first, "%d": rest.join("."), "%i": "", "%I": "", "%%": "%" };
  const named = pattern.replaceAll(/%[hndiI%]/g, (mark) => table[mark] ?? mark);
  return named.includes("@") ? named : `${named}@${host}`;
}

/**
 * A command line as settings of the environment, which it overrides: `worker -A ./tasks -Q video_queue -c 2 -P threads`, or
 * `-A ./tasks worker …`. None at all changes nothing. A Python module after `-A` is let pass and not loaded. Under this command line a
 * queue that is missing is created, as Celery does. Throws an Error that names the option.
 */
export function readCommandLine(argv: readonly string[], host: string): Setting {
  if (argv.length === 0) return {};
  const { values, positionals } = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true, strict: true });
  const [command = "worker", ...more] = positionals;
  if (command !== "worker" || more.length > 0) {
    throw new Error(
      `command line: found "${positionals.join(" ")}", expected: worker -A <folder of tasks> -Q <queues> -c <slots> -P <pool>`,
    );
  }
  const level = values.loglevel?.toLowerCase();
  const memory = values["max-memory-per-child"];
  const isFolder = values.app !== undefined && /^[./]/.test(values.app);
  const table: Readonly<Partial<Record<keyof WorkerEnv, string | undefined>>> = {
    LONGSHORE_TASKS: isFolder ? values.app : undefined,
    CELERY_BROKER_URL: values.broker,
    CELERY_RESULT_BACKEND: values["result-backend"],
    LONGSHORE_QUEUES: values.queues,
    LONGSHORE_CONCURRENCY: values.concurrency,
    LONGSHORE_WORKER_POOL: values.pool,
    LONGSHORE_PREFETCH_MULTIPLIER: values["prefetch-multiplier"],
    LONGSHORE_NODE_NAME: values.hostname === undefined ? undefined : nodeName(values.hostname, host),
    LONGSHORE_LOG_LEVEL: level === undefined ? undefined : (LEVELS[level] ?? level),
    LONGSHORE_EVENTS: values["task-events"] === true || values.events === true ? "true" : undefined,
    LONGSHORE_TIME_LIMIT: values["time-limit"],
    LONGSHORE_SOFT_TIME_LIMIT: values["soft-time-limit"],
    LONGSHORE_MAX_TASKS_PER_CHILD: values["max-tasks-per-child"],
    // Celery counts in KiB.
    LONGSHORE_MAX_MEMORY_MB_PER_CHILD: memory === undefined ? undefined : String(Math.ceil(Number(memory) / 1_024)),
    LONGSHORE_CREATE_QUEUES: "classic",
  };
  return Object.fromEntries(Object.entries(table).filter(([, value]) => value !== undefined));
}
