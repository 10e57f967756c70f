import { networkInterfaces } from "node:os";
import { externalKubeconfig } from "./external.ts";
import { readState } from "./state.ts";

/**
 * The address at which pods reach servers on this machine: the local cluster's gateway, or for a cluster of your own
 * `LONGSHORE_HOST_ADDRESS`, or else this machine's first address. Throws when it has none.
 */
export function gatewayAddress(): string {
  const local = externalKubeconfig() === undefined ? readState()?.network.gateway : process.env["LONGSHORE_HOST_ADDRESS"];
  if (local) return local;
  const own = Object.values(networkInterfaces())
    .flat()
    .find((one) => one?.family === "IPv4" && !one.internal);
  if (!own) throw new Error("this machine has no address that pods could reach; set LONGSHORE_HOST_ADDRESS");
  return own.address;
}
