import type { KubePort } from "./adapters/ports.ts";
import type { Caches } from "./caches.ts";
import { createDataReader } from "./kinds/worker-pool/data-reader.ts";
import { reconcilePool } from "./kinds/worker-pool/reconcile.ts";
import { poolsThatUse } from "./kinds/worker-pool/references.ts";
import type { Clock } from "./runtime/clock.ts";
import { createController, relate } from "./runtime/controller.ts";
import type { Log } from "./runtime/log.ts";
import type { RuntimeMetrics } from "./runtime/metrics.ts";
import { keyOf } from "./runtime/object.ts";
import { done } from "./runtime/outcome.ts";

export interface LeadingOptions {
  readonly kube: KubePort;
  readonly caches: Caches;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: RuntimeMetrics;
  readonly workerImage: string;
}

/** What the leader does, until the signal aborts; each term begins anew, from what stands in the API and on the brokers. */
export function createLead(options: LeadingOptions): (signal: AbortSignal) => Promise<void> {
  const { kube, caches, clock, metrics, workerImage } = options;
  return async (signal) => {
    const data = createDataReader({ kube, clock });
    const references = { broker: caches.brokers.get, store: caches.stores.get, data };
    const pools = createController({
      ...options,
      name: "worker-pool",
      cache: caches.pools,
      related: [
        relate(caches.brokers, (broker) => poolsThatUse(caches.pools.list(), "brokerRef", broker)),
        relate(caches.stores, (store) => poolsThatUse(caches.pools.list(), "storeRef", store)),
        relate(caches.deployments, (deployment) => [keyOf(deployment)]),
      ],
      reconcile: (_, pool) =>
        pool === undefined
          ? Promise.resolve(done)
          : reconcilePool(pool, { ...references, kube, deployment: caches.deployments.get, workerImage }),
      onReconciled: metrics.reconciled,
    });
    await pools.run(signal);
  };
}
