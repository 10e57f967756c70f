import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Lab } from "./worker-process.ts";

export interface CeleryWorker extends AsyncDisposable {
  readonly pid: number;
}

/**
 * Celery's own worker, in Python, to compare ours with. `tasks` is a module that makes `app`; `args` follow `celery worker`. Not yet
 * consuming when it returns.
 */
export async function startCeleryWorker(lab: Lab, name: string, tasks: string, args: readonly string[]): Promise<CeleryWorker> {
  const module = name.replaceAll("-", "_");
  await writeFile(join(lab.folder, `${module}.py`), tasks);
  const child = spawn(join(lab.bin, "celery"), ["-A", module, "worker", "--without-mingle", "-n", `${name}@x`, ...args], {
    cwd: lab.folder,
    env: {
      PATH: process.env["PATH"],
      CELERY_BROKER_URL: lab.brokerUrl,
      CELERY_RESULT_BACKEND: lab.redisUrl,
      PYTHONDONTWRITEBYTECODE: "1",
      C_FORCE_ROOT: "1",
    },
    stdio: "ignore",
    detached: true,
  });
  const ended = once(child, "exit");
  const { pid } = child;
  if (pid === undefined) throw new Error("celery could not be started");
  return {
    pid,
    async [Symbol.asyncDispose]() {
      // Its pool's processes are in its group.
      process.kill(-pid, "SIGKILL");
      await ended;
    },
  };
}
