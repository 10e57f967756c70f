import type { Column } from "../runtime/define-kind.ts";

/** The columns that every kind begins with, except WorkerPool, whose READY counts replicas. */
export const readyColumns: readonly Column[] = [
  {
    name: "Ready",
    type: "string",
    jsonPath: '.status.conditions[?(@.type=="Ready")].status',
    description: "Whether the object is what its spec says.",
  },
  { name: "Reason", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].reason', description: "Why, in one word." },
];

/** The columns of a kind of topology, with those that are its own. */
export const topologyColumns = (...own: readonly Column[]): readonly Column[] => [
  ...readyColumns,
  ...own,
  { name: "Broker", type: "string", jsonPath: ".spec.brokerRef.name", description: "Broker object.", priority: 1 },
  { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp", description: "Age." },
];
