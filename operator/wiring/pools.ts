import { createDataReader } from "../kinds/worker-pool/data-reader.ts";
import { reconcilePool } from "../kinds/worker-pool/reconcile.ts";
import { poolsThatUse } from "../kinds/worker-pool/references.ts";
import type { PoolOutcome } from "../kinds/worker-pool/status.ts";
import { keyOf, type ObjectKey } from "../runtime/object.ts";
import { type Controller, createController, relate } from "../runtime/queue/controller.ts";
import { done } from "../runtime/truth/outcome.ts";
import { createTransitions } from "../runtime/truth/transitions.ts";
import type { Context } from "./context.ts";

/** The controller of WorkerPools, and how each one's last reconcile ended. It writes no status: the autoscaler does, which knows the rest. */
export function createPoolController(context: Context): {
  readonly controller: Controller;
  readonly outcomeOf: (pool: ObjectKey) => PoolOutcome | undefined;
} {
  const { kube, caches, clock, events, metrics, workerImage } = context;
  const outcomes = new Map<ObjectKey, PoolOutcome>();
  const transitions = createTransitions(events, "Reconcile");
  const data = createDataReader({ kube, clock });
  const deps = {
    kube,
    data,
    workerImage,
    broker: caches.brokers.get,
    store: caches.stores.get,
    deployment: caches.deployments.get,
    budget: caches.budgets.get,
  };
  const controller = createController({
    ...context,
    name: "worker-pool",
    cache: caches.pools,
    related: [
      relate(caches.brokers, (broker) => poolsThatUse(caches.pools.list(), "brokerRef", broker)),
      relate(caches.stores, (store) => poolsThatUse(caches.pools.list(), "storeRef", store)),
      relate(caches.deployments, (deployment) => [keyOf(deployment)]),
      relate(caches.budgets, (budget) => [keyOf(budget)]),
    ],
    async reconcile(key, pool) {
      if (pool !== undefined) return reconcilePool(pool, deps);
      outcomes.delete(key);
      return done;
    },
    async report(key, pool, { condition }) {
      if (condition === undefined) return;
      outcomes.set(key, condition);
      transitions.say(pool, condition);
    },
    onReconciled: metrics.reconciled,
  });
  return { controller, outcomeOf: (pool) => outcomes.get(pool) };
}
