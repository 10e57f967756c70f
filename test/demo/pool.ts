import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { WorkerPool } from "../../operator/kinds/worker-pool/schema.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { DEMO_NAMESPACE } from "./install.ts";
import type { Sample } from "./sample.ts";
import type { Screen } from "./screen.ts";

export interface Seen {
  readonly sample: Sample;
  readonly replicas: number;
  readonly condition: string;
  readonly words: string;
}

export interface PoolWatch extends AsyncDisposable {
  /** The clock of the samples starts now. */
  begin(): void;
  /** The client's own count of results. */
  done(count: number): void;
  /** Resolves when the pool looks so; throws with the last condition after `seconds`. */
  until(what: string, looks: (seen: Seen) => boolean, seconds: number): Promise<void>;
  samples(): readonly Sample[];
}

const SAMPLE_MS = 250;

/** Watches the pool as `kubectl get workerpool -w` shows it, keeps samples, and draws them. */
export async function watchPool(cluster: Cluster, total: number, screen: Screen): Promise<PoolWatch> {
  const samples: Sample[] = [];
  let began: number | undefined;
  let finished = 0;
  let pool: WorkerPool | undefined;
  const watch = spawn(cluster.kubectl, ["--namespace", DEMO_NAMESPACE, "get", "workerpool", "video", "--output", "json", "--watch"], {
    env: { ...process.env, KUBECONFIG: cluster.kubeconfig },
    stdio: ["ignore", "pipe", "inherit"],
  });
  process.once("exit", () => watch.kill());
  let text = "";
  createInterface({ input: watch.stdout }).on("line", (line) => {
    text += line;
    if (line !== "}") return; // kubectl indents: an object ends with a brace in the first column
    pool = JSON.parse(text) as WorkerPool;
    text = "";
  });

  const see = (): Seen => {
    const { status } = pool ?? {};
    const ready = status?.conditions?.find(({ type }) => type === "Ready");
    const sample: Sample = {
      at: began === undefined ? -1 : (performance.now() - began) / 1_000,
      backlog: status?.backlog ?? 0,
      desired: status?.desiredReplicas ?? 0,
      ready: status?.readyReplicas ?? 0,
      draining: status?.drainingReplicas ?? 0,
      busy: status?.busy ?? 0,
      done: finished,
    };
    return {
      sample,
      replicas: status?.replicas ?? 0,
      condition: ready?.status ?? "Unknown",
      words: status?.autoscaling?.message ?? ready?.message ?? "waiting for the operator",
    };
  };
  const timer = setInterval(() => {
    const seen = see();
    if (began !== undefined) samples.push(seen.sample);
    screen.live(seen.sample, total, seen.words);
  }, SAMPLE_MS);

  return {
    begin: () => (began = performance.now()),
    done: (count) => (finished = count),
    samples: () => samples,
    async until(what, looks, seconds) {
      const deadline = performance.now() + seconds * 1_000;
      while (pool === undefined || !looks(see())) {
        if (performance.now() > deadline) {
          const ready = pool?.status?.conditions?.find(({ type }) => type === "Ready");
          throw new Error(
            `the pool was not ${what} within ${seconds} s; its condition: ${ready ? `${ready.reason}: ${ready.message}` : "none"}`,
          );
        }
        await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
      }
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      watch.kill();
    },
  };
}
