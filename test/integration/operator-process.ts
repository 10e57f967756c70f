import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** An operator as a process of its own, against the cluster of a kubeconfig. */
export interface OperatorProcess extends AsyncDisposable {
  readonly pid: number;
  /** Lines of its log so far, parsed. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  /** Resolves with the first line, past or to come, with this message, and when it was seen (monotonic ms). Rejects when the process ends first. */
  said(message: string): Promise<{ readonly line: Readonly<Record<string, unknown>>; readonly at: number }>;
  /** Sends the signal; resolves with the exit status. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** @param args what Node is to run; default: the operator from source */
export function startOperatorProcess(
  env: Readonly<Record<string, string>>,
  args: readonly string[] = ["operator/main.ts"],
): OperatorProcess {
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(process.execPath, args, { env: { PATH, HOME, ...env }, stdio: ["ignore", "pipe", "inherit"] });
  const lines: Record<string, unknown>[] = [];
  const times: number[] = [];
  const waiters = new Set<() => void>();
  const wake = () => {
    for (const waiter of waiters) waiter();
  };
  createInterface({ input: child.stdout }).on("line", (text) => {
    lines.push(JSON.parse(text) as Record<string, unknown>);
    times.push(performance.now());
    wake();
  });
  const ended = once(child, "close").then(() => {
    wake();
    return child.exitCode;
  });
  return {
    pid: child.pid ?? 0,
    lines,
    async said(message) {
      for (;;) {
        const index = lines.findIndex(({ msg }) => msg === message);
        const line = lines[index];
        if (line !== undefined) return { line, at: times[index] ?? 0 };
        if (child.exitCode !== null)
          throw new Error(`the operator ended with ${child.exitCode} and never said "${message}": ${JSON.stringify(lines)}`);
        const { promise, resolve } = Promise.withResolvers<void>();
        waiters.add(resolve);
        await promise;
        waiters.delete(resolve);
      }
    },
    end(signal) {
      child.kill(signal);
      return ended;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
