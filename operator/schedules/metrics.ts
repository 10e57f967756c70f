import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { METRIC_PREFIX } from "../runtime/metrics.ts";

export interface ScheduleMetrics {
  readonly published: (latenessSeconds: number) => void;
  readonly leftOut: (why: "late" | "forbidden", count: number) => void;
  readonly leading: (leads: boolean) => void;
  readonly known: (schedules: number) => void;
}

/** Sums over all schedules: ten thousand labels would cost more than the schedules. */
export function createScheduleMetrics(registry: Registry): ScheduleMetrics {
  const registers = [registry];
  const lateness = new Histogram({
    name: `${METRIC_PREFIX}schedule_lateness_seconds`,
    help: "From a due time, jitter included, to the broker's confirm.",
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 600],
    registers,
  });
  const leftOut = new Counter({
    name: `${METRIC_PREFIX}schedule_left_out_total`,
    help: "Due times that were not published: late, by catchUp or the deadline, or forbidden by concurrencyPolicy.",
    labelNames: ["why"],
    registers,
  });
  const leader = new Gauge({
    name: `${METRIC_PREFIX}schedules_leader`,
    help: "1 while this process publishes what is due, else 0.",
    registers,
  });
  const count = new Gauge({ name: `${METRIC_PREFIX}schedules`, help: "Schedules that this process looks after.", registers });
  return {
    published: (seconds) => lateness.observe(Math.max(0, seconds)),
    leftOut: (why, by) => leftOut.inc({ why }, by),
    leading: (leads) => leader.set(leads ? 1 : 0),
    known: (schedules) => count.set(schedules),
  };
}
