import type { Cluster } from "../cluster/cluster.ts";
import { kubectl } from "../product/kubectl.ts";
import { apply, prepareNamespace } from "../product/namespace.ts";

export const DEMO_NAMESPACE = "video";

/** The namespace with its Secrets, the ConfigMap of tasks, and then the contract manifest as it stands. */
export async function applyPool(cluster: Cluster): Promise<void> {
  await prepareNamespace(cluster, DEMO_NAMESPACE);
  const tasks = await kubectl(cluster, [
    "--namespace",
    DEMO_NAMESPACE,
    "create",
    "configmap",
    "video-tasks",
    "--from-file",
    "manifests/video-tasks",
    "--dry-run=client",
    "-o",
    "yaml",
  ]);
  await apply(cluster, DEMO_NAMESPACE, ["-f", "-"], tasks);
  await kubectl(cluster, ["--namespace", DEMO_NAMESPACE, "apply", "-f", "manifests/video-pool.yaml"]);
}
