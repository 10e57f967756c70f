import { spawn } from "node:child_process";
import { constants } from "node:os";
import type { Readable } from "node:stream";

export interface CommandOptions {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Kept of each stream. */
  readonly maxOutputBytes: number;
  /** Between SIGTERM and SIGKILL once `signal` has aborted. */
  readonly killAfterMs: number;
  readonly signal: AbortSignal;
}

export interface CommandEnd {
  /** As Python has it: the negative signal number when one ended it. */
  readonly code: number;
  /** Its beginning. */
  readonly stdout: string;
  /** Its end: that is where a program says why it failed. */
  readonly stderr: string;
  readonly truncated: boolean;
}

/** Process groups that run; they go with this process, however it ends. */
const groups = new Set<number>();
function killGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch (error) {
    // Nobody of the group is left.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
process.on("exit", () => {
  for (const leader of groups) killGroup(leader, "SIGKILL");
});

/** Keeps the first or last bytes of a stream, and lets all the rest flow by. */
function keep(stream: Readable, limit: number, which: "first" | "last"): { text(): string; readonly truncated: boolean } {
  let kept = Buffer.alloc(0);
  let truncated = false;
  stream.on("data", (chunk: Buffer) => {
    if (which === "first" && kept.length >= limit) truncated ||= chunk.length > 0;
    else {
      const all = Buffer.concat([kept, chunk]);
      truncated ||= all.length > limit;
      kept = which === "first" ? all.subarray(0, limit) : Buffer.from(all.subarray(Math.max(0, all.length - limit)));
    }
  });
  return {
    text: () => kept.toString("utf8"),
    get truncated() {
      return truncated;
    },
  };
}

/**
 * Runs a program in a process group of its own, without a shell and without stdin. Resolves when it has ended and nothing of its group is
 * left: what it started and did not wait for is killed. Rejects with Node's error when it cannot be started.
 */
export async function runCommand({ argv, cwd, env, maxOutputBytes, killAfterMs, signal }: CommandOptions): Promise<CommandEnd> {
  const [program = "", ...args] = argv;
  const child = spawn(program, args, { cwd, env: { ...env }, detached: true, stdio: ["ignore", "pipe", "pipe"], shell: false });
  const ended = Promise.withResolvers<number>();
  const stdout = keep(child.stdout, maxOutputBytes, "first");
  const stderr = keep(child.stderr, maxOutputBytes, "last");
  const { pid } = child;
  let killer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    if (pid === undefined) return;
    killGroup(pid, "SIGTERM");
    killer = setTimeout(() => killGroup(pid, "SIGKILL"), killAfterMs);
  };
  child.on("error", ended.reject);
  // Its children may hold the pipes open: `close` would wait for them.
  child.on("exit", () => pid !== undefined && killGroup(pid, "SIGKILL"));
  child.on("close", (code, by) => ended.resolve(code ?? -(by === null ? 1 : constants.signals[by])));
  if (pid !== undefined) groups.add(pid);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    const code = await ended.promise;
    return { code, stdout: stdout.text(), stderr: stderr.text(), truncated: stdout.truncated || stderr.truncated };
  } finally {
    signal.removeEventListener("abort", stop);
    clearTimeout(killer);
    if (pid !== undefined) groups.delete(pid);
  }
}
