import { createAutoscaler } from "../autoscale/start.ts";
import { startTopology } from "../topology/start.ts";
import type { Context } from "./context.ts";
import { createPoolController } from "./pools.ts";
import { createStoreController } from "./stores.ts";

/**
 * What the leader does, until the signal aborts. Each term begins anew, from what stands in the API, on the brokers and in the stores;
 * it acts on nothing before every cache is warm. Throws when a part fails that cannot help itself.
 */
export function createLead(context: Context): (signal: AbortSignal) => Promise<void> {
  const { caches, connect, log } = context;
  return async (signal) => {
    try {
      await Promise.all(Object.values(caches).map((cache) => cache.synced(signal)));
    } catch {
      return; // The term ended first.
    }
    await using topology = await startTopology({ ...context, connect: connect.topology, metrics: context.topologyMetrics }, signal);
    const stores = createStoreController(context);
    const pools = createPoolController(context);
    await using autoscaler = createAutoscaler({
      ...context,
      caches,
      endpointOf: (namespace, broker) => topology.endpoints.endpointOf(namespace, broker),
      storeEndpointOf: stores.endpointOf,
      connectBroker: connect.sensing,
      connectStore: connect.store,
      outcomeOf: pools.outcomeOf,
      metrics: context.autoscaleMetrics,
    });
    autoscaler.start();
    log.info({}, "leading");
    await Promise.all([stores.controller.run(signal), pools.controller.run(signal)]);
  };
}
