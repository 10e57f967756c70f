import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type * as z from "zod";
import type { Command } from "../../contract/declared-tasks.ts";
import { expand, placeholdersOf } from "../../contract/placeholders.ts";
import type { Value } from "../../protocol/json/value.ts";
import { defineTask, type Task, type TaskContext } from "../define-task.ts";
import { Retry } from "../outcomes.ts";
import { noPositional, parametersSchema, textOf } from "./parameters.ts";
import { type CommandEnd, runCommand } from "./run-command.ts";
import { valuesOf } from "./sources.ts";

type Values = Readonly<Record<string, unknown>>;
type Env = Readonly<Record<string, string | undefined>>;

/** The program ended with a code that is no success. Python's callers get the class that they know, with `returncode` and `stderr`. */
class CommandFailed extends Error {
  override readonly name = "CommandFailed";
  readonly pyClass = "subprocess.CalledProcessError";
  readonly pyArgs: readonly Value[];
  constructor(argv: readonly string[], { code, stdout, stderr }: CommandEnd) {
    super(`${argv[0]} ended with ${code}: ${stderr.trimEnd().slice(-500)}`);
    this.pyArgs = [code, [...argv], stdout, stderr];
  }
}

/** It was told to stop at its limit, and has stopped. */
class CommandTimeLimit extends Error {
  override readonly name = "TimeLimitExceeded";
  readonly pyClass = "billiard.exceptions.TimeLimitExceeded";
  readonly pyArgs: readonly Value[];
  constructor(seconds: number) {
    super(`stopped after ${seconds} s`);
    this.pyArgs = [seconds];
  }
}

/** The container's environment without what is the worker's own: the broker's and the store's logins are in there. */
const inherited = (env: Env): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined || /^(CELERY|LONGSHORE)_/.test(name) ? [] : [[name, value]])),
  );

/** A missing optional parameter takes its argument with it, when that is nothing else. */
function argumentsOf(argv: readonly string[], values: Values): readonly string[] {
  return argv.flatMap((text) => {
    const [only] = placeholdersOf(text);
    if (only !== undefined && text === `$(${only})` && (values[only] ?? null) === null) return [];
    return [expand(text, (name) => textOf(values, name))];
  });
}

/** Runs in `folder`, or in an empty folder of its own that goes with it. */
async function inFolder<T>(folder: string | undefined, work: (folder: string) => Promise<T>): Promise<T> {
  if (folder !== undefined) return await work(folder);
  const own = await mkdtemp(join(tmpdir(), "longshore-command-"));
  try {
    return await work(own);
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

async function run(command: Command, values: Values, context: TaskContext, env: Env): Promise<Value> {
  const { signal } = context;
  signal.throwIfAborted();
  const argv = argumentsOf(command.argv, values);
  const own = valuesOf(command.env, env);
  // For programs that can refuse one who comes late.
  const told = { LONGSHORE_TASK_ID: context.taskId, LONGSHORE_FENCE: context.fence, LONGSHORE_RETRIES: String(context.retries) };
  const end = await inFolder(command.workingDirectory, (cwd) =>
    runCommand({
      argv,
      cwd,
      env: { ...inherited(env), ...told, ...own },
      maxOutputBytes: command.maxOutputBytes,
      killAfterMs: command.killAfterSeconds * 1_000,
      signal,
    }),
  );
  if (signal.aborted) {
    const reason: unknown = signal.reason;
    const late = reason instanceof Error && reason.name === "SoftTimeLimitExceeded";
    throw late && command.timeLimitSeconds !== undefined ? new CommandTimeLimit(command.timeLimitSeconds) : reason;
  }
  if (command.successExitCodes.includes(end.code)) {
    return { exit_code: end.code, stdout: end.stdout, stderr: end.stderr, truncated: end.truncated };
  }
  const failed = new CommandFailed(argv, end);
  throw command.retryExitCodes.includes(end.code) ? new Retry(failed.message, { cause: failed }) : failed;
}

/** A declared command as a task. `env` is the worker's own environment. The effect begins with the program. */
export function commandTask(command: Command, env: Env): Task {
  const { retry, timeLimitSeconds, killAfterSeconds, idempotencyKey: key, rateLimit } = command;
  const task = defineTask<typeof noPositional, z.ZodType<Values>>({
    name: command.name,
    mode: command.mode,
    effectStarts: "at-run",
    args: noPositional,
    kwargs: parametersSchema(command.parameters, true),
    maxRetries: retry.maxRetries,
    retryBackoff: retry.backoffSeconds,
    retryBackoffMax: retry.backoffMaxSeconds,
    retryJitter: retry.jitter,
    ...(rateLimit === undefined ? {} : { rateLimit }),
    // The program is told at its limit, and the slot is given up only after it has had its time to stop.
    ...(timeLimitSeconds === undefined ? {} : { softTimeLimit: timeLimitSeconds, timeLimit: timeLimitSeconds + killAfterSeconds + 5 }),
    ...(key === undefined ? {} : { idempotencyKey: ({ kwargs }) => expand(key, (name) => textOf(kwargs, name)) }),
    run: ({ kwargs }, context) => run(command, kwargs, context, env),
  });
  return { ...task, runsIn: "supervisor" };
}
