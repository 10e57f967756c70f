import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Cache } from "./cache/cache.ts";
import type { KubeObject } from "./object.ts";

export const METRIC_PREFIX = "longshore_";

export interface RuntimeMetrics {
  /** Where others register theirs; every name begins with `longshore_`. */
  readonly registry: Registry;
  readonly reconciled: (controller: string, result: "ok" | "waiting" | "failed", seconds: number) => void;
  readonly leading: (leads: boolean) => void;
  /** Shows, from now on, how many objects a cache holds and whether it is fresh. */
  watching(cache: Cache<KubeObject>): void;
}

/** The runtime's own metrics, and those of the process. One registry per process: nothing is global. */
export function createMetrics(): RuntimeMetrics {
  const registry = new Registry();
  const registers = [registry];
  const caches: Cache<KubeObject>[] = [];
  collectDefaultMetrics({ register: registry, prefix: METRIC_PREFIX, eventLoopMonitoringPrecision: 200 });

  const seconds = new Histogram({
    name: `${METRIC_PREFIX}reconcile_duration_seconds`,
    help: "How long reconciles took, by controller and result.",
    labelNames: ["controller", "result"],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
    registers,
  });
  const reconciles = new Counter({
    name: `${METRIC_PREFIX}reconciles_total`,
    help: "Reconciles, by controller and result: ok, waiting for something else, or failed.",
    labelNames: ["controller", "result"],
    registers,
  });
  const leader = new Gauge({ name: `${METRIC_PREFIX}leader`, help: "1 while this process leads, else 0.", registers });
  // Read when scraped: nothing is counted on each change.
  void new Gauge({
    name: `${METRIC_PREFIX}cache_objects`,
    help: "Objects in the cache, by resource.",
    labelNames: ["resource"],
    registers,
    collect() {
      for (const cache of caches) this.set({ resource: cache.resource.plural }, cache.list().length);
    },
  });
  void new Gauge({
    name: `${METRIC_PREFIX}cache_fresh`,
    help: "1 while the watch of the resource works, 0 while it is being repaired.",
    labelNames: ["resource"],
    registers,
    collect() {
      for (const cache of caches) this.set({ resource: cache.resource.plural }, cache.state().cause === undefined ? 1 : 0);
    },
  });

  return {
    registry,
    reconciled(controller, result, took) {
      reconciles.inc({ controller, result });
      seconds.observe({ controller, result }, took);
    },
    leading: (leads) => leader.set(leads ? 1 : 0),
    watching: (cache) => void caches.push(cache),
  };
}
