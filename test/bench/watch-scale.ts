import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Cluster } from "../cluster/cluster.ts";

export interface Change {
  readonly replicas: number;
  /** performance.now() when it was seen. */
  readonly at: number;
}

export interface ScaleWatch extends AsyncDisposable {
  /** Every new value of `spec.replicas`, in order. */
  changes(): readonly Change[];
  /** Resolves as soon as `spec.replicas` is this; throws after `ms`. */
  until(replicas: number, ms: number): Promise<void>;
}

/** Watches `spec.replicas` of a Deployment, which may not exist yet. */
export async function watchScale(cluster: Cluster, namespace: string, deployment: string): Promise<ScaleWatch> {
  const changes: Change[] = [];
  const waiting = new Set<() => void>();
  const kubectl = spawn(
    cluster.kubectl,
    [
      "--namespace",
      namespace,
      "get",
      "deployments",
      "--field-selector",
      `metadata.name=${deployment}`,
      "--watch",
      "--output",
      'jsonpath={.spec.replicas}{"\\n"}',
    ],
    { env: { ...process.env, KUBECONFIG: cluster.kubeconfig }, stdio: ["ignore", "pipe", "inherit"] },
  );
  createInterface({ input: kubectl.stdout }).on("line", (line) => {
    const replicas = Number(line || "0");
    if (changes.at(-1)?.replicas === replicas) return;
    changes.push({ replicas, at: performance.now() });
    for (const look of waiting) look();
  });
  return {
    changes: () => changes,
    async until(replicas, ms) {
      if (changes.at(-1)?.replicas === replicas) return;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const look = () => changes.at(-1)?.replicas === replicas && resolve();
      const timer = setTimeout(
        () =>
          reject(
            new Error(`${namespace}/${deployment} has ${changes.at(-1)?.replicas ?? "no"} replicas after ${ms} ms, expected ${replicas}`),
          ),
        ms,
      );
      waiting.add(look);
      await promise.finally(() => {
        clearTimeout(timer);
        waiting.delete(look);
      });
    },
    [Symbol.asyncDispose]: async () => void kubectl.kill(),
  };
}
