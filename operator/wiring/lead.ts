import { createAutoscaler } from "../autoscale/start.ts";
import { fenced } from "../runtime/leader/fence.ts";
import { inLanes } from "../runtime/queue/lanes.ts";
import { createStatusWriter } from "../runtime/truth/status.ts";
import { startTopology } from "../topology/start.ts";
import { allOf } from "./caches.ts";
import type { Context } from "./context.ts";
import { createPoolController } from "./pools.ts";
import { createStoreController } from "./stores.ts";

/**
 * What the leader does, until the signal aborts. Each term begins anew, from what stands in the API, on the brokers and in the stores;
 * it acts on nothing before every cache is warm, and writes nothing to the API once its term is over.
 */
export function createLead(context: Context): (signal: AbortSignal) => Promise<void> {
  const { caches, connect, log, clock } = context;
  return async (signal) => {
    try {
      await Promise.all(allOf(caches).map((cache) => cache.synced(signal)));
    } catch {
      return; // The term ended first.
    }
    if (signal.aborted) return;
    const kube = inLanes(fenced(context.kube, signal));
    const term: Context = { ...context, kube, status: createStatusWriter({ kube, clock }) };
    await using topology = await startTopology(
      { ...term, brokers: caches.brokers, objects: caches.topology, connect: connect.topology, metrics: term.topologyMetrics },
      signal,
    );
    const stores = createStoreController(term);
    const pools = createPoolController(term);
    await using autoscaler = createAutoscaler({
      ...term,
      endpointOf: (namespace, broker) => topology.endpoints.endpointOf(namespace, broker),
      storeEndpointOf: stores.endpointOf,
      connectBroker: connect.sensing,
      connectStore: connect.store,
      outcomeOf: pools.outcomeOf,
      metrics: term.autoscaleMetrics,
    });
    autoscaler.start();
    log.info({}, "leading");
    // All at once: none goes on while another takes its time to end.
    const ended = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    await Promise.all([
      stores.controller.run(signal),
      pools.controller.run(signal),
      ended.then(() => autoscaler[Symbol.asyncDispose]()),
      ended.then(() => topology[Symbol.asyncDispose]()),
    ]);
  };
}
