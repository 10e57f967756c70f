import { readdirSync, readFileSync } from "node:fs";

/**
 * When a process started, in the kernel's ticks since boot, with the boot's own id: together with the pid it names one process
 * for ever, while a pid alone is used again. Undefined when there is no such process or it is a zombie.
 */
export function startTimeOf(pid: number): string | undefined {
  const fields = statOf(pid);
  return fields === undefined || fields[0] === "Z" || fields[0] === "X" ? undefined : `${bootId()}:${fields[19]}`;
}

let boot: string | undefined;
function bootId(): string {
  boot ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim().slice(0, 8);
  return boot;
}

/**
 * The processes that a dead process left in its group. While any of them lives the kernel does not use the number again, so they are
 * its own; none are reported when the number belongs to a running process, or comes from before the last boot.
 */
export function orphansOf(leader: { readonly pid: number; readonly startTime: string }): number[] {
  if (startTimeOf(leader.pid) !== undefined || !leader.startTime.startsWith(`${bootId()}:`)) return [];
  return pids().filter((pid) => pid !== leader.pid && startTimeOf(pid) !== undefined && groupOf(pid) === leader.pid);
}

function groupOf(pid: number): number | undefined {
  const group = statOf(pid)?.[2];
  return group === undefined ? undefined : Number(group);
}

const pids = () =>
  readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 1 && pid !== process.pid);

/** The fields of a process's stat after its name, which may itself contain blanks and brackets. */
function statOf(pid: number): readonly string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

/** The pids whose command line satisfies `matches`. Never lists this process. */
export function pidsWhere(matches: (args: readonly string[]) => boolean): number[] {
  return pids().filter((pid) => matches(argumentsOf(pid)));
}

function argumentsOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}
