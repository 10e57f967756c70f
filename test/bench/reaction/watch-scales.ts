import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Cluster } from "../../cluster/cluster.ts";

export interface Change {
  readonly replicas: number;
  /** performance.now() when it was seen. */
  readonly at: number;
}

export interface ScaleWatch {
  /** Every new value of `spec.replicas`, in order. */
  changes(): readonly Change[];
  /** Resolves as soon as `spec.replicas` is this; throws after `ms`. */
  until(replicas: number, ms: number): Promise<void>;
}

export interface ScaleWatches extends AsyncDisposable {
  /** The Deployment of this name, which may not exist yet. */
  of(name: string): ScaleWatch;
}

/** Watches `spec.replicas` of all Deployments of a namespace. */
export function watchScales(cluster: Cluster, namespace: string): ScaleWatches {
  const changes = new Map<string, Change[]>();
  const waiting = new Set<() => void>();
  const template = '{.metadata.name}{" "}{.spec.replicas}{"\\n"}';
  const kubectl = spawn(cluster.kubectl, ["--namespace", namespace, "get", "deployments", "--watch", "--output", `jsonpath=${template}`], {
    env: { ...process.env, KUBECONFIG: cluster.kubeconfig },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const changesOf = (name: string): Change[] => {
    const known = changes.get(name) ?? [];
    changes.set(name, known);
    return known;
  };
  createInterface({ input: kubectl.stdout }).on("line", (line) => {
    const [name = "", value = ""] = line.split(" ");
    const known = changesOf(name);
    const replicas = Number(value || "0");
    if (known.at(-1)?.replicas === replicas) return;
    known.push({ replicas, at: performance.now() });
    for (const look of waiting) look();
  });
  return {
    of: (name) => ({
      changes: () => changesOf(name),
      async until(replicas, ms) {
        const size = () => changesOf(name).at(-1)?.replicas;
        if (size() === replicas) return;
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        const look = () => size() === replicas && resolve();
        const late = () => reject(new Error(`${namespace}/${name} has ${size() ?? "no"} replicas after ${ms} ms, expected ${replicas}`));
        const timer = setTimeout(late, ms);
        waiting.add(look);
        await promise.finally(() => {
          clearTimeout(timer);
          waiting.delete(look);
        });
      },
    }),
    [Symbol.asyncDispose]: async () => void kubectl.kill(),
  };
}
