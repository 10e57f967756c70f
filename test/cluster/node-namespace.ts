import { readlinkSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { home } from "./home.ts";
import { connectNode, type Network } from "./network.ts";
import { ensureProcess, running } from "./processes.ts";

/**
 * Folders of the host that node programs write to without asking. Inside the node's namespace they lead into our run folder, so that
 * nothing stays behind on the machine and two clusters do not meet in them.
 */
const PRIVATE = ["/var/lib/kubelet", "/var/lib/cni", "/var/log/containers", "/var/log/pods", "/run/netns", "/run/containerd", "/run/runc"];

const HOLD = `set -e
run="$1"; shift
for folder in "$@"; do
  mkdir -p "$folder" "$run/node$folder"
  mount --bind "$run/node$folder" "$folder"
done
exec sleep infinity
`;

/**
 * The node's own mount and network namespaces, held open by one sleeping process and joined to the host's network.
 * All mounts, pod networks and proxy rules live in there, so they vanish with its last process. Says whether it is new.
 */
export async function ensureNodeNamespace(network: Network): Promise<{ readonly pid: number; readonly started: boolean }> {
  const { run } = home();
  await mkdir(join(run, "node"), { recursive: true });
  const node = await ensureProcess({
    name: "node",
    command: "unshare",
    args: ["--mount", "--net", "--propagation", "slave", "--", "sh", "-c", HOLD, "node", run, ...PRIVATE],
    ready: async () => readlinkSync(`/proc/${running("node")?.pid}/exe`).endsWith("sleep"),
    readyWithinMs: 10_000,
  });
  await connectNode(network, node.pid);
  return node;
}

/** The command that runs `command` inside the node's namespaces, with the same pid. */
export function insideNode(
  nodePid: number,
  command: string,
  args: readonly string[],
): { readonly command: string; readonly args: readonly string[] } {
  return { command: "nsenter", args: ["--target", String(nodePid), "--mount", "--net", "--", command, ...args] };
}
