import { readdirSync, readFileSync } from "node:fs";
import type { Cluster } from "../../cluster/cluster.ts";
import { kubectl } from "../../product/kubectl.ts";
import { OPERATOR_NAMESPACE } from "../../product/operator.ts";

interface OperatorPod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly status: { readonly containerStatuses?: readonly { readonly restartCount: number }[] };
}

const inNamespace = (cluster: Cluster, ...args: readonly string[]) => kubectl(cluster, ["--namespace", OPERATOR_NAMESPACE, ...args]);

/** The process of a pod of the local cluster, which is one of this machine's; undefined on a cluster elsewhere. */
function pidOf(pod: string): number | undefined {
  return readdirSync("/proc")
    .map(Number)
    .find((pid) => {
      if (!Number.isInteger(pid)) return false;
      try {
        return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(`POD_NAME=${pod}`);
      } catch {
        return false; // it ended meanwhile
      }
    });
}

/**
 * Ends one operator with SIGKILL, mostly the leader. A pod that has restarted before is replaced, or the kubelet would wait longer each time.
 * Returns whether it was the leader; undefined when there was none to kill.
 */
export async function killOperator(cluster: Cluster, random: () => number): Promise<"leader" | "other" | undefined> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API server's own answer
  const list = JSON.parse(await inNamespace(cluster, "get", "pods", "--output", "json")) as { items: readonly OperatorPod[] };
  const pods = list.items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const holder = await inNamespace(cluster, "get", "lease", "longshore", "--output", "jsonpath={.spec.holderIdentity}");
  const leader = pods.find(({ metadata }) => metadata.name === holder);
  const victim = leader !== undefined && random() < 0.75 ? leader : pods[Math.floor(random() * pods.length)];
  if (victim === undefined) return undefined;
  const { name } = victim.metadata;
  const pid = cluster.external ? undefined : pidOf(name);
  if (pid !== undefined) process.kill(pid, "SIGKILL");
  const restarts = victim.status.containerStatuses?.[0]?.restartCount ?? 0;
  if (pid === undefined || restarts > 0) await inNamespace(cluster, "delete", "pod", name, "--force", "--grace-period=0", "--wait=false");
  return victim === leader ? "leader" : "other";
}
