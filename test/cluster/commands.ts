import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { StepError, tail } from "./progress.ts";

export interface RunOptions {
  /** What this command is for, as the failure message says it: "build the image". */
  readonly step?: string;
  /** Appends everything the command says to this file, too. */
  readonly log?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** What the user can do when it fails. */
  readonly advice?: string;
}

/** System folders come last, so that tools are found for users whose PATH leaves them out. */
export const PATH = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"].join(
  delimiter,
);

/**
 * Runs a command to its end and returns what it wrote to stdout.
 * Never runs through a shell. Throws a `StepError` with the last lines it said when it fails or cannot be started.
 */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const step = options.step ?? `run ${command}`;
  const child = spawn(command, args, { cwd: options.cwd, env: { ...process.env, PATH, ...options.env }, stdio: ["pipe", "pipe", "pipe"] });
  const log = options.log ? createWriteStream(options.log, { flags: "a" }) : undefined;
  log?.write(`$ ${command} ${args.join(" ")}\n`);
  const out: Buffer[] = [];
  const all: Buffer[] = [];
  const keep = (chunk: Buffer) => {
    all.push(chunk);
    if (all.length > 400) all.splice(0, 200);
    log?.write(chunk);
  };
  child.stdout.on("data", (chunk: Buffer) => {
    out.push(chunk);
    keep(chunk);
  });
  child.stderr.on("data", keep);
  child.stdin.on("error", () => {}); // the command may end without reading its input
  child.stdin.end(options.input ?? "");
  const code = await new Promise<number | string>((done, fail) => {
    child.once("error", (cause) => fail(new StepError(step, `${command} cannot be started: ${cause.message}`, { cause })));
    child.once("close", (status, signal) => done(status ?? signal ?? "killed"));
  }).finally(() => log && new Promise<void>((closed) => log.end(closed)));
  if (code === 0) return Buffer.concat(out).toString("utf8");
  const said = options.log
    ? tail(options.log)
    : Buffer.concat(all)
        .toString("utf8")
        .trimEnd()
        .split("\n")
        .slice(-15)
        .map((line) => `    ${line}`)
        .join("\n");
  const where = options.log ? `\n  log: ${options.log}` : "";
  const advice = options.advice ? `\n  what to do: ${options.advice}` : "";
  throw new StepError(step, `${command} ended with ${code}\n${said}${where}${advice}`);
}

/** Like `run`, for clean-up and questions: the answer or undefined, never an error. */
export async function tryRun(command: string, args: readonly string[], options: RunOptions = {}): Promise<string | undefined> {
  return await run(command, args, options).catch(() => undefined);
}

/** Where a program is on the PATH, or undefined. */
export async function which(program: string): Promise<string | undefined> {
  for (const folder of PATH.split(delimiter)) {
    if (!folder) continue;
    const path = join(folder, program);
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return undefined;
}
