import { Counter, Histogram, type Registry } from "prom-client";
import type { OwnedOperation } from "./apply.ts";

export interface TopologyMetrics {
  /** One pass over one broker. */
  synced(done: ReadonlyMap<string, readonly OwnedOperation[]>, seconds: number): void;
  /** One object that somebody had changed on the broker. */
  repaired(): void;
}

/** Registers the metrics of topology; call it once per registry. */
export function createTopologyMetrics(registry: Registry): TopologyMetrics {
  const registers = [registry];
  const operations = new Counter({
    name: "longshore_topology_operations_total",
    help: "Objects declared on or removed from brokers, by operation and type.",
    labelNames: ["operation", "type"],
    registers,
  });
  const seconds = new Histogram({
    name: "longshore_topology_sync_duration_seconds",
    help: "How long a pass over one broker took, from looking to having read back.",
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
    registers,
  });
  const repairs = new Counter({
    name: "longshore_topology_drift_repaired_total",
    help: "Objects that somebody else had changed on the broker and that were changed back.",
    registers,
  });
  return {
    synced(done, took) {
      seconds.observe(took);
      for (const { op, object } of [...done.values()].flat()) operations.inc({ operation: op, type: object.type });
    },
    repaired: () => repairs.inc(),
  };
}
