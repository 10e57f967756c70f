import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Cluster } from "../cluster/cluster.ts";

export const root = join(import.meta.dirname, "..", "..");

/** Runs a program with the cluster's kubeconfig; returns what it printed. Throws with its stderr when it fails. `input` never shows in a process list. */
export async function run(cluster: Cluster, program: string, args: readonly string[], input = ""): Promise<string> {
  const child = spawn(program, args, {
    cwd: root,
    env: { ...process.env, KUBECONFIG: cluster.kubeconfig },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let out = "";
  let error = "";
  child.stdout.on("data", (chunk) => (out += chunk));
  child.stderr.on("data", (chunk) => (error += chunk));
  child.stdin.end(input);
  const code = await new Promise<number>((resolve, reject) => child.once("error", reject).once("close", (status) => resolve(status ?? 1)));
  if (code !== 0) throw new Error(`${program.split("/").at(-1)} ${args.slice(0, 3).join(" ")} failed:\n${error.trim() || out.trim()}`);
  return out;
}

export const kubectl = (cluster: Cluster, args: readonly string[], input?: string) => run(cluster, cluster.kubectl, args, input);
