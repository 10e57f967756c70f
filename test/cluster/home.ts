import { createHash } from "node:crypto";
import { existsSync, mkdirSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { StepError } from "./progress.ts";

/**
 * The one folder that holds everything of the local cluster. `cache` is expensive to build and survives `down`;
 * `run` is the state of the running cluster and does not.
 */
export interface Home {
  readonly root: string;
  readonly cache: string;
  readonly run: string;
  readonly logs: string;
  /** Six hex digits that differ between homes: they name the network device and the pod network of this cluster. */
  readonly id: string;
}

/** Unix sockets have at most 107 bytes in their path, and the kubelet appends this much to ours. */
const LONGEST_SOCKET = "/run/kubelet/plugins_registry/0000000000000000.sock";

function root(env: NodeJS.ProcessEnv): string {
  if (env["LONGSHORE_HOME"]) return resolve(env["LONGSHORE_HOME"]);
  if (env["XDG_CACHE_HOME"]) return join(resolve(env["XDG_CACHE_HOME"]), "longshore");
  return join(homedir(), ".cache", "longshore");
}

/** Finds the home of this environment and makes its folders. Throws when its path is too long for unix sockets. */
export function home(env: NodeJS.ProcessEnv = process.env): Home {
  const path = root(env);
  if (path.length + LONGEST_SOCKET.length > 107) {
    throw new StepError("find the cluster's folder", `${path} is too long for unix sockets; set LONGSHORE_HOME to a shorter path`);
  }
  for (const folder of ["cache", "run/logs", "run/pids", "locks"]) mkdirSync(join(path, folder), { recursive: true, mode: 0o700 });
  const real = realpathSync(path);
  const id = createHash("sha256").update(real).digest("hex").slice(0, 6);
  return { root: real, cache: join(real, "cache"), run: join(real, "run"), logs: join(real, "run", "logs"), id };
}

/** Whether this environment has a home at all. Never makes one. */
export function homeExists(env: NodeJS.ProcessEnv = process.env): boolean {
  return existsSync(join(root(env), "run"));
}
