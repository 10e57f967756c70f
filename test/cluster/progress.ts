import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** A step that could not be done: which one, why, where its log is, and what to do about it. */
export class StepError extends Error {
  override readonly name = "StepError";
  constructor(step: string, reason: string, options?: ErrorOptions) {
    super(`could not ${step}: ${reason}`, options);
  }
}

/** Says one line on stderr. Never writes to stdout, which belongs to the command's result. */
export function say(line: string): void {
  process.stderr.write(`[cluster] ${line}\n`);
}

/** Runs a long step between two lines: one when it starts, one with the seconds when it ends. Passes on what `work` throws. */
export async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  say(`${title}…`);
  try {
    const result = await work();
    say(`${title}: done in ${seconds(started)}`);
    return result;
  } catch (error) {
    say(`${title}: FAILED after ${seconds(started)}`);
    throw error;
  }
}

function seconds(started: number): string {
  return `${((performance.now() - started) / 1000).toFixed(1)} s`;
}

/** The last lines of a log for an error message. Never throws: a missing log is an empty one. */
export function tail(path: string, lines = 15): string {
  try {
    const file = openSync(path, "r");
    try {
      const { size } = fstatSync(file);
      const buffer = Buffer.alloc(Math.min(size, 16_384));
      readSync(file, buffer, 0, buffer.length, size - buffer.length);
      return buffer
        .toString("utf8")
        .trimEnd()
        .split("\n")
        .slice(-lines)
        .map((line) => `    ${line.slice(0, 400)}`)
        .join("\n");
    } finally {
      closeSync(file);
    }
  } catch {
    return "";
  }
}
