import { spawn } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PATH } from "./commands.ts";
import { home } from "./home.ts";
import { orphansOf, startTimeOf } from "./process-table.ts";
import { StepError, tail } from "./progress.ts";

export interface ProcessRecord {
  readonly name: string;
  readonly pid: number;
  readonly startTime: string;
  readonly command: string;
  readonly args: readonly string[];
}

export interface ProcessSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Asked until it says yes. */
  readonly ready?: () => Promise<boolean>;
  readonly readyWithinMs?: number;
}

const recordPath = (name: string) => join(home().run, "pids", `${name}.json`);
/** Where a process of ours writes what it has to say. */
const logPath = (name: string) => join(home().logs, `${name}.log`);

/** The record of a process that still runs. A record whose pid now belongs to somebody else counts as none. */
export function running(name: string): ProcessRecord | undefined {
  const record = read(name);
  return record && startTimeOf(record.pid) === record.startTime ? record : undefined;
}

function read(name: string): ProcessRecord | undefined {
  try {
    return JSON.parse(readFileSync(recordPath(name), "utf8")) as ProcessRecord;
  } catch {
    return undefined;
  }
}

/** Every recorded process, running or not. */
export function recorded(): ProcessRecord[] {
  const names = readdirSync(join(home().run, "pids"))
    .filter((file) => file.endsWith(".json"))
    .map((file) => file.slice(0, -5));
  return names.map(read).filter((record) => record !== undefined);
}

/**
 * Starts a process unless it runs already, and waits until it is ready. Says whether it started it.
 * The process outlives this one. Throws with the log's last lines when it dies or does not become ready.
 */
export async function ensureProcess(spec: ProcessSpec): Promise<{ readonly pid: number; readonly started: boolean }> {
  const known = running(spec.name);
  if (known) {
    await becomesReady(spec, known.pid, known.startTime); // whoever started it may have been interrupted while it waited
    return { pid: known.pid, started: false };
  }
  await stopProcess(spec.name); // it may have died and left children that hold its ports
  const log = logPath(spec.name);
  const output = openSync(log, "a", 0o600);
  const child = spawn(spec.command, spec.args, {
    detached: true,
    cwd: "/",
    stdio: ["ignore", output, output],
    env: { PATH, HOME: "/root", LANG: "C.UTF-8", ...spec.env },
  });
  closeSync(output);
  child.unref();
  const pid = await new Promise<number>((done, fail) => {
    child.once("spawn", () => done(child.pid as number));
    child.once("error", (cause) => fail(new StepError(`start ${spec.name}`, `${spec.command}: ${cause.message}`, { cause })));
  });
  const startTime = startTimeOf(pid) ?? "gone";
  writeFileSync(
    recordPath(spec.name),
    JSON.stringify({ name: spec.name, pid, startTime, command: spec.command, args: spec.args }, null, 2),
    { mode: 0o600 },
  );
  await becomesReady(spec, pid, startTime);
  return { pid, started: true };
}

async function becomesReady(spec: ProcessSpec, pid: number, startTime: string): Promise<void> {
  const deadline = performance.now() + (spec.readyWithinMs ?? 60_000);
  const failed = (why: string) =>
    new StepError(
      `start ${spec.name}`,
      `${why}\n${tail(logPath(spec.name))}\n  log: ${logPath(spec.name)}\n  what to do: read the log, then \`npm run cluster down\` and up again`,
    );
  for (;;) {
    if (startTimeOf(pid) !== startTime) throw failed("it ended right after its start");
    if (!spec.ready || (await spec.ready().catch(() => false))) return;
    if (performance.now() > deadline) {
      await stopProcess(spec.name, { graceMs: 2_000 });
      throw failed("it did not become ready in time");
    }
    await sleep(100);
  }
}

export interface StopOptions {
  readonly signal?: NodeJS.Signals;
  /** How long it may take before it is killed. What it leaves in its process group is killed at once. */
  readonly graceMs?: number;
}

/** Stops a recorded process and forgets it. Never signals a pid that has passed to another process. Stopping twice is fine. */
export async function stopProcess(name: string, options: StopOptions = {}): Promise<void> {
  const record = read(name);
  if (record && startTimeOf(record.pid) === record.startTime) {
    signal(record.pid, options.signal ?? "SIGTERM");
    const deadline = performance.now() + (options.graceMs ?? 10_000);
    while (startTimeOf(record.pid) === record.startTime && performance.now() < deadline) await sleep(30);
    if (startTimeOf(record.pid) === record.startTime) signal(record.pid, "SIGKILL");
    while (startTimeOf(record.pid) === record.startTime) await sleep(20);
  }
  while (record && orphansOf(record).length > 0) {
    for (const orphan of orphansOf(record)) signal(orphan, "SIGKILL");
    await sleep(20);
  }
  rmSync(recordPath(name), { force: true });
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
