import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Tally } from "./tally.ts";

export interface Metrics {
  ended(task: string, event: string, runMs: number | undefined): void;
  malformed(): void;
  text(): Promise<string>;
}

/** Seconds; from a no-op to an hour of transcoding. */
const BUCKETS = [0.001, 0.005, 0.02, 0.1, 0.5, 1, 5, 30, 120, 600, 3_600];

/** The worker's Prometheus metrics. Task names are labels: what a producer made up, and no task has, counts as `unknown`. */
export function openMetrics(tally: Tally, slots: () => number, isTask: (name: string) => boolean, storeMayEvict: () => boolean): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const done = new Counter({
    name: "longshore_worker_tasks_total",
    help: "Tasks that ended, by name and outcome.",
    labelNames: ["task", "outcome"],
    registers,
  });
  const runtime = new Histogram({
    name: "longshore_worker_task_seconds",
    help: "Run time of tasks.",
    labelNames: ["task"],
    buckets: BUCKETS,
    registers,
  });
  const bad = new Counter({ name: "longshore_worker_malformed_total", help: "Messages that were no task.", registers });
  const gauge = (name: string, help: string, read: () => number): void => {
    const shown: Gauge = new Gauge({ name, help, registers, collect: () => shown.set(read()) });
  };
  gauge("longshore_worker_slots", "Slots.", slots);
  gauge("longshore_worker_busy", "Slots that run a task.", () => tally.busy);
  gauge("longshore_worker_unacked", "Deliveries taken and not settled.", () => tally.unacked);
  gauge("longshore_worker_redelivered", "Deliveries that carried the broker's redelivered flag.", () => tally.redelivered);
  gauge("longshore_worker_store_may_evict", "1 when the store may drop leases: its maxmemory-policy is not noeviction.", () =>
    storeMayEvict() ? 1 : 0,
  );
  return {
    ended(task, event, runMs) {
      const name = isTask(task) ? task : "unknown";
      done.inc({ task: name, outcome: event.replace(/^task-/, "") });
      if (runMs !== undefined) runtime.observe({ task: name }, runMs / 1_000);
    },
    malformed: () => bad.inc(),
    text: () => registry.metrics(),
  };
}
