import { setTimeout as delay } from "node:timers/promises";
import type { ConfirmChannel } from "amqplib";
import type { KubePort } from "../../../operator/adapters/ports.ts";
import { DEPLOYMENTS } from "../../../operator/kinds/worker-pool/apply-deployment.ts";
import type { Ledger } from "./ledger.ts";
import type { DrainPool } from "./pools.ts";

const EVERY_MS = 1_000;

/**
 * What everybody else does, for the control: replicas follow the backlog, by the same threshold, bounds and window, with nothing but a patch of
 * the scale. Which pod goes is the ReplicaSet controller's choice. Runs until the signal aborts.
 */
export async function scalePlainly(
  kube: Pick<KubePort, "patch">,
  namespace: string,
  pools: readonly DrainPool[],
  channel: ConfirmChannel,
  ledger: Ledger,
  signal: AbortSignal,
): Promise<void> {
  const sizes = new Map<string, number>();
  const needs = new Map<string, readonly { readonly at: number; readonly replicas: number }[]>();
  while (!signal.aborted) {
    for (const pool of pools) {
      const { name } = pool;
      const { messageCount } = await channel.checkQueue(name);
      const need = Math.ceil((messageCount + ledger.runningIn(name)) / pool.backlogPerReplica);
      const now = performance.now();
      const window = [
        ...(needs.get(name) ?? []).filter(({ at }) => now - at <= pool.windowSeconds * 1_000),
        { at: now, replicas: Math.min(pool.maxReplicas, Math.max(pool.minReplicas, need)) },
      ];
      needs.set(name, window);
      const replicas = Math.max(...window.map((one) => one.replicas));
      if (sizes.get(name) === replicas) continue;
      await kube.patch(DEPLOYMENTS, namespace, name, { spec: { replicas } }, "scale");
      sizes.set(name, replicas);
    }
    await delay(EVERY_MS);
  }
}
