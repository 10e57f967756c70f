import { parseArgs } from "node:util";
import { INSTEAD, OPTIONS, UNMET_NAMES } from "./command-options.ts";
import type { WorkerEnv } from "./contract/env.ts";

type Setting = Partial<Record<keyof WorkerEnv, string>>;

/** A command line, read. */
export interface CommandLine {
  /** What the environment says otherwise is overridden. */
  readonly settings: Setting;
  /** What holds where the environment says nothing: Celery's own default. */
  readonly defaults: Setting;
  /** Options whose wish is not met, as `--logfile`. */
  readonly unmet: readonly string[];
}

/** Celery's levels; the others have the same name here. */
const LEVELS: Readonly<Record<string, string>> = { warning: "warn", critical: "error", fatal: "error" };

/** `%h` host name, `%n` the part before its first dot, `%d` the rest. celery/utils/nodenames.py */
function nodeName(pattern: string, host: string): string {
  const [first = "", ...rest] = host.split(".");
  const table: Readonly<Record<string, string>> = { "%h": host, "%n": first, "%d": rest.join("."), "%i": "", "%I": "", "%%": "%" };
  const named = pattern.replaceAll(/%[hndiI%]/g, (mark) => table[mark] ?? mark);
  return named.includes("@") ? named : `${named}@${host}`;
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true, strict: true });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const known = Object.keys(OPTIONS).filter((name) => !Object.hasOwn(INSTEAD, name));
    throw new Error(`command line: ${error.message.split(". ")[0]}; known are --${known.join(", --")}`, { cause: error });
  }
}

/** Celery's queues come from its configuration, of which there is none here. */
function queuesOf(given: string | undefined, excluded: string | undefined): string | undefined {
  if (excluded === undefined) return given;
  if (given === undefined)
    throw new Error("command line: found --exclude-queues without --queues, expected both: name the queues to consume");
  const without = new Set(excluded.split(","));
  return given
    .split(",")
    .filter((queue) => !without.has(queue))
    .join();
}

/**
 * A command line as settings of the environment: `worker -A ./tasks -Q video_queue -c 2 -P threads`, `-A ./tasks worker …` or the same
 * after `celery`. None at all changes nothing. A Python module after `-A` is let pass and not loaded. Under this command line a queue that
 * is missing is created, as Celery does, and without `-Q` it is `celery`. Throws an Error that names the option and what to do instead.
 */
export function readCommandLine(argv: readonly string[], host: string): CommandLine {
  if (argv.length === 0) return { settings: {}, defaults: {}, unmet: [] };
  const { values, positionals } = parse(argv);
  const [command = "worker", ...more] = positionals[0] === "celery" ? positionals.slice(1) : positionals;
  if (command !== "worker" || more.length > 0) {
    throw new Error(
      `command line: found "${positionals.join(" ")}", expected: worker -A <folder of tasks> -Q <queues> -c <slots> -P <pool>`,
    );
  }
  for (const [name, instead] of Object.entries(INSTEAD)) {
    if (Object.hasOwn(values, name)) throw new Error(`command line: --${name} is not supported; ${instead}`);
  }
  const level = values.loglevel?.toLowerCase();
  const memory = values["max-memory-per-child"];
  const isFolder = values.app !== undefined && /^[./]/.test(values.app);
  const table: Readonly<Partial<Record<keyof WorkerEnv, string | undefined>>> = {
    LONGSHORE_TASKS: isFolder ? values.app : undefined,
    CELERY_BROKER_URL: values.broker,
    CELERY_RESULT_BACKEND: values["result-backend"],
    LONGSHORE_QUEUES: queuesOf(values.queues, values["exclude-queues"]),
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
  return {
    settings: Object.fromEntries(Object.entries(table).filter(([, value]) => value !== undefined)),
    defaults: { LONGSHORE_QUEUES: "celery" },
    unmet: UNMET_NAMES.filter((name) => Object.hasOwn(values, name)).map((name) => `--${name}`),
  };
}
