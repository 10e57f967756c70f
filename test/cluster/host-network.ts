import { networkInterfaces } from "node:os";
import { externalKubeconfig } from "./external.ts";
import { withLock } from "./lock.ts";
import { ensureNamespace } from "./node.ts";
import { ensureMachine } from "./packages.ts";
import { ensureState, readState } from "./state.ts";

/**
 * Makes sure that this machine has the address at which servers listen for pods, so that a broker or Redis can start before the cluster,
 * or after a reboot that took the devices away. With a cluster of the user's own it only checks the machine. Throws with what to do.
 */
export async function ensureHostNetwork(): Promise<void> {
  const node = externalKubeconfig() === undefined;
  if (node && isJoined()) return;
  await ensureMachine({ node });
  if (node) await withLock("up", async () => void (await ensureNamespace(await ensureState())));
}

function isJoined(): boolean {
  const network = readState()?.network;
  return networkInterfaces()[network?.device ?? ""]?.some(({ address }) => address === network?.gateway) ?? false;
}
