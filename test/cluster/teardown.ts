import { existsSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { tryRun } from "./commands.ts";
import { home } from "./home.ts";
import { pidsWhere, startTimeOf } from "./process-table.ts";
import { recorded, stopProcess } from "./processes.ts";
import { readState } from "./state.ts";

const NODE_PROCESSES = ["coredns", "kube-proxy", "kubelet", "containerd"] as const;

/**
 * Ends everything that runs on the node, and removes what it left: containers, their shims, cgroups and files.
 * With `keepNamespace` the node's namespaces stay. Never touches a process outside this cluster's cgroups and records.
 */
export async function clearNode({ keepNamespace }: { readonly keepNamespace: boolean }): Promise<void> {
  const { run } = home();
  for (const name of NODE_PROCESSES) await stopProcess(name, { signal: "SIGKILL" });
  await killAll(() => [...shims(), ...cgroups().flatMap(membersOf)]);
  if (!keepNamespace) {
    await stopProcess("node", { signal: "SIGKILL" });
    const state = readState();
    if (state) await tryRun("ip", ["link", "delete", state.network.device]);
  }
  for (let turn = 0; turn < 40 && cgroups().length > 0; turn++) {
    for (const folder of cgroups()) removeEmpty(folder);
    await sleep(25); // a killed member is still on its way out
  }
  await unmountUnder(run);
  await Promise.all(
    ["containerd", "kubelet", "containerd.sock", "containerd.sock.ttrpc"].map((name) =>
      rm(join(run, name), { recursive: true, force: true }),
    ),
  );
}

/** Ends the whole cluster and removes its state; the caches stay unless `purge`. Doing it twice, or half-way up, is fine. */
export async function tearDown({ purge }: { readonly purge: boolean }): Promise<void> {
  const { root, run, cache } = home();
  const others = recorded()
    .map(({ name }) => name)
    .filter((name) => name !== "node" && !NODE_PROCESSES.some((one) => one === name));
  // Killed, not asked: whatever they would still write is removed in a moment.
  await Promise.all(others.map((name) => stopProcess(name, { signal: "SIGKILL" })));
  await clearNode({ keepNamespace: false });
  await rm(run, { recursive: true, force: true });
  await unmountUnder(cache); // an image build that was killed leaves its layers mounted
  if (!purge) return;
  await rm(root, { recursive: true, force: true });
}

/** The processes that watch our containers: their command line names our containerd's socket. */
function shims(): number[] {
  const socket = join(home().run, "containerd.sock");
  return pidsWhere((args) => (args[0]?.endsWith("containerd-shim-runc-v2") ?? false) && args.includes(socket));
}

/** The cgroups of this cluster's containers, in each hierarchy of the machine, be it version 1 or 2. Other clusters have theirs beside them. */
function cgroups(): string[] {
  const top = "/sys/fs/cgroup";
  const containers = names(join(home().run, "containerd/state/io.containerd.runtime.v2.task/k8s.io"));
  const folders = [top, ...names(top).map((one) => join(top, one))].map((folder) => join(folder, "k8s.io"));
  return folders.flatMap((folder) => containers.map((id) => join(folder, id))).filter((path) => existsSync(join(path, "cgroup.procs")));
}

function membersOf(cgroup: string): number[] {
  const own = read(join(cgroup, "cgroup.procs")).split("\n").filter(Boolean).map(Number);
  return [...own, ...children(cgroup).flatMap(membersOf)];
}

/** The folders inside a folder; none when it is not there. */
function names(folder: string): string[] {
  return existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name)
    : [];
}

const children = (folder: string) => names(folder).map((name) => join(folder, name));

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Kills until nothing is left, as a container may start another process meanwhile. */
async function killAll(find: () => number[]): Promise<void> {
  for (let turn = 0; turn < 200; turn++) {
    const left = find().filter((pid) => startTimeOf(pid) !== undefined);
    if (left.length === 0) return;
    for (const pid of left) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {} // it ended by itself
    }
    await sleep(25);
  }
}

/** Cgroups have only kernel files in them, so they are removed folder by folder from below. */
function removeEmpty(cgroup: string): void {
  for (const child of children(cgroup)) removeEmpty(child);
  try {
    rmdirSync(cgroup);
  } catch {} // not empty yet, or gone already
}

/** Nothing of ours is mounted in the host's own namespace; this looks anyway, since deleting through a mount would delete what is behind it. */
async function unmountUnder(folder: string): Promise<void> {
  const points = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((point) => point.startsWith(`${folder}/`));
  for (const point of points.toReversed()) await tryRun("umount", ["--lazy", point]);
}
