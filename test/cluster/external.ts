import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import { kubeconfigPath } from "./certificates.ts";

/** The kubeconfig of a cluster of the user's own. The local cluster's own kubeconfig in KUBECONFIG does not count. */
export function externalKubeconfig(): string | undefined {
  const named = process.env["KUBECONFIG"];
  if (!named) return undefined;
  return real(named) === real(kubeconfigPath()) ? undefined : named;
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}
