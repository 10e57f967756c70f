import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { OPERATOR_NAMESPACE } from "../product/operator.ts";

/** Linux accounts process times in hundredths of a second (USER_HZ). */
const TICKS_PER_SECOND = 100;

/** With which flags the operator's image runs Node; throws when its Dockerfile does not say so in one line. */
export function imageFlags(): readonly string[] {
  const dockerfile = readFileSync(join(import.meta.dirname, "../../operator/Dockerfile"), "utf8");
  const flags = /^ENTRYPOINT \["node", (.*), "\/app\/main\.mjs"\]$/m.exec(dockerfile)?.[1];
  if (flags === undefined) throw new Error("operator/Dockerfile has no entrypoint of node, flags and main.mjs");
  return flags.split(", ").map((flag) => flag.replaceAll('"', ""));
}

const read = (pid: number, file: string): string => readFileSync(`/proc/${pid}/${file}`, "utf8");

/** Operator processes on this machine: the pods of the local cluster are processes of the host. */
export function operatorPids(): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => {
      if (!Number.isInteger(pid)) return false;
      try {
        return read(pid, "cmdline").startsWith("node\0") && read(pid, "environ").includes(`POD_NAMESPACE=${OPERATOR_NAMESPACE}\0`);
      } catch {
        return false; // it ended meanwhile
      }
    });
}

export const residentMb = (pid: number): number => Number(/VmRSS:\s+(\d+)/.exec(read(pid, "status"))?.[1]) / 1_024;

const stat = (pid: number): string[] => read(pid, "stat").split(") ")[1]?.split(" ") ?? [];

/** Processor time that the process has used, s. */
export const cpuSeconds = (pid: number): number => (Number(stat(pid)[11]) + Number(stat(pid)[12])) / TICKS_PER_SECOND;

/** Age of the process, ms, from the kernel's own record of its start. */
export function ageMs(pid: number): number {
  const uptime = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
  return (uptime - Number(stat(pid)[19]) / TICKS_PER_SECOND) * 1_000;
}

/** The address of the pod that has this host name, as its process knows it. */
export const podName = (pid: number): string => /(?:^|\0)POD_NAME=([^\0]*)/.exec(read(pid, "environ"))?.[1] ?? "";
