import { fork } from "node:child_process";
import { Worker } from "node:worker_threads";
import type { FromChild, ToChild } from "./wire.ts";

/** Where a child's program lies: beside this file in the source tree, beside the bundle's chunks in an image. */
const MAIN = import.meta.url.endsWith(".ts") ? new URL("./child-main.ts", import.meta.url) : new URL("./child-main.mjs", import.meta.url);

/** A thread or a process that runs one task at a time. */
export interface Child {
  /** Of the process that it is, or is in. */
  readonly pid: number;
  post(message: ToChild): void;
  /** Ends it at once, whatever it does. */
  kill(): Promise<void>;
}

export interface ChildOptions {
  /** Folder of the user's task modules. */
  readonly folder: string;
  /** MB of heap; beyond it the child dies, alone. */
  readonly maxMemoryMb?: number;
  readonly onMessage: (message: FromChild) => void;
  /** Once, when it has ended, for whatever reason. */
  readonly onExit: (why: string) => void;
}

/** A thread: shares the process's memory and dies with it, starts fast. */
export function openThread({ folder, maxMemoryMb, onMessage, onExit }: ChildOptions): Child {
  const resourceLimits = maxMemoryMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: maxMemoryMb } };
  const thread = new Worker(MAIN, { workerData: { folder }, ...resourceLimits });
  let why = "";
  thread.on("message", onMessage);
  thread.on("error", (error: unknown) => (why = `: ${error instanceof Error ? error.message : String(error)}`));
  thread.on("exit", (code) => onExit(`thread ended with ${code}${why}`));
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a window's, not a thread's
  return { pid: process.pid, post: (message) => thread.postMessage(message), kill: async () => void (await thread.terminate()) };
}

/** A process of its own: a crash in native code or `process.exit` takes nothing else with it. */
export function openProcess({ folder, maxMemoryMb, onMessage, onExit }: ChildOptions): Child {
  const execArgv = maxMemoryMb === undefined ? process.execArgv : [...process.execArgv, `--max-old-space-size=${maxMemoryMb}`];
  const child = fork(MAIN, [folder], { serialization: "advanced", execArgv });
  const exited = Promise.withResolvers<void>();
  child.on("message", (message) => onMessage(message as FromChild));
  child.on("error", () => {
    // `exit` follows, or it never began.
    if (child.pid === undefined) onExit("process could not start");
  });
  child.on("exit", (code, signal) => {
    exited.resolve();
    onExit(`process ended with ${signal ?? code ?? "nothing"}`);
  });
  return {
    pid: child.pid ?? 0,
    post: (message) => void (child.connected && child.send(message)),
    async kill() {
      child.kill("SIGKILL");
      if (child.pid !== undefined) await exited.promise;
    },
  };
}
