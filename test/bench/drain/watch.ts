import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Cluster } from "../../cluster/cluster.ts";

export interface ScaleInWatch extends AsyncDisposable {
  /** How often the scale of a Deployment was lowered. */
  readonly scaleIns: number;
  /** Pods whose deletion was seen. */
  readonly removed: ReadonlySet<string>;
  /** Most pods that were there at a time. */
  readonly podsMax: number;
}

/** Watches all Deployments and pods of a namespace. */
export async function watchScaleIns(cluster: Cluster, namespace: string): Promise<ScaleInWatch> {
  const sizes = new Map<string, number>();
  const removed = new Set<string>();
  const living = new Set<string>();
  let scaleIns = 0;
  let podsMax = 0;

  const watch = (resource: string, fields: string, onLine: (name: string, value: string) => void) => {
    const template = `{.metadata.name}{" "}{${fields}}{"\\n"}`;
    const child = spawn(cluster.kubectl, ["--namespace", namespace, "get", resource, "--watch", "--output", `jsonpath=${template}`], {
      env: { ...process.env, KUBECONFIG: cluster.kubeconfig },
      stdio: ["ignore", "pipe", "inherit"],
    });
    createInterface({ input: child.stdout }).on("line", (line) => {
      const [name = "", value = ""] = line.split(" ");
      onLine(name, value);
    });
    return child;
  };
  const children = [
    watch("deployments", ".spec.replicas", (name, value) => {
      const size = Number(value || "0");
      if (size < (sizes.get(name) ?? 0)) scaleIns += 1;
      sizes.set(name, size);
    }),
    watch("pods", ".metadata.deletionTimestamp", (name, deleted) => {
      if (deleted !== "") removed.add(name);
      if (removed.has(name)) living.delete(name);
      else living.add(name);
      podsMax = Math.max(podsMax, living.size);
    }),
  ];
  return {
    get scaleIns() {
      return scaleIns;
    },
    removed,
    get podsMax() {
      return podsMax;
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill();
    },
  };
}
