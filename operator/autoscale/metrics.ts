import { Counter, Gauge, type Registry } from "prom-client";
import { METRIC_PREFIX } from "../runtime/metrics.ts";
import type { Decision } from "./decide/decide.ts";
import type { Observation } from "./observe/observation.ts";
import type { RateFigures } from "./observe/rates.ts";

export interface AutoscaleMetrics {
  observed(namespace: string, pool: string, observation: Observation, decision: Decision, draining: number): void;
  judged(namespace: string, pool: string, run: { readonly sight: { readonly rates: RateFigures }; readonly decision: Decision }): void;
  /** The scale was changed. */
  resized(namespace: string, pool: string, direction: "up" | "down"): void;
  /** Pods that were drained have gone with it. */
  removed(namespace: string, pool: string, plan: { readonly removed: readonly string[]; readonly timedOut: readonly string[] }): void;
  forget(namespace: string, pool: string): void;
}

/** Gauges of each pool's last observation and decision. */
export function createAutoscaleMetrics(registry: Registry): AutoscaleMetrics {
  const labelNames = ["namespace", "pool"] as const;
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `${METRIC_PREFIX}pool_${name}`, help, labelNames: [...labelNames], registers: [registry] });
  const desired = gauge("desired_replicas", "Replicas that shall serve, by the last decision.");
  const draining = gauge("draining_replicas", "Replicas that are being drained.");
  const ready = gauge("ready_messages", "Messages that wait in the pool's queues, weighted.");
  const inFlight = gauge("in_flight_messages", "Messages that workers hold and have not settled.");
  const busy = gauge("busy_slots", "Slots that run a task.");
  const trusted = gauge("backlog_trusted", "1 while the backlog is known and fresh, else 0.");
  const arrivalRate = gauge("arrival_rate", "Tasks per second that arrive: the higher of the fast and the slow mean.");
  const service = gauge("service_seconds", "How long a task runs, s; absent until one was measured.");
  const held = gauge("held", "1 while the size may not fall, for the data or an obstacle does not allow it, else 0.");
  const why = new Gauge({
    name: `${METRIC_PREFIX}pool_decision`,
    help: "1 for the reason of the last decision.",
    labelNames: [...labelNames, "reason"],
    registers: [registry],
  });
  const reasons = new Map<string, string>();
  const forgetReason = (namespace: string, pool: string): void => {
    const reason = reasons.get(`${namespace}/${pool}`);
    if (reason !== undefined) why.remove({ namespace, pool, reason });
    reasons.delete(`${namespace}/${pool}`);
  };
  const resizes = new Counter({
    name: `${METRIC_PREFIX}pool_resizes_total`,
    help: "Changes of the scale, by direction.",
    labelNames: [...labelNames, "direction"],
    registers: [registry],
  });
  const removals = new Counter({
    name: `${METRIC_PREFIX}pool_removed_pods_total`,
    help: "Pods removed after a drain: idle, or with tasks that still ran when scaleDown.drainTimeoutSeconds was over.",
    labelNames: [...labelNames, "state"],
    registers: [registry],
  });
  const gauges = [desired, draining, ready, inFlight, busy, trusted, arrivalRate, service, held];
  return {
    observed(namespace, pool, observation, decision, drainingNow) {
      const of = { namespace, pool };
      desired.set(of, decision.replicas);
      draining.set(of, drainingNow);
      ready.set(of, observation.ready.value);
      inFlight.set(of, observation.inFlight.value);
      busy.set(of, busySlots(observation));
      trusted.set(of, observation.total.trust === "fresh" ? 1 : 0);
    },
    judged(namespace, pool, { sight: { rates }, decision }) {
      const of = { namespace, pool };
      arrivalRate.set(of, Math.max(rates.fast, rates.slow));
      if (rates.serviceSeconds !== undefined) service.set(of, rates.serviceSeconds);
      held.set(of, decision.held ? 1 : 0);
      if (reasons.get(`${namespace}/${pool}`) === decision.reason) return;
      forgetReason(namespace, pool);
      reasons.set(`${namespace}/${pool}`, decision.reason);
      why.set({ ...of, reason: decision.reason }, 1);
    },
    resized: (namespace, pool, direction) => resizes.inc({ namespace, pool, direction }),
    removed(namespace, pool, { removed, timedOut }) {
      if (removed.length > timedOut.length) removals.inc({ namespace, pool, state: "idle" }, removed.length - timedOut.length);
      if (timedOut.length > 0) removals.inc({ namespace, pool, state: "timed-out" }, timedOut.length);
    },
    forget(namespace, pool) {
      forgetReason(namespace, pool);
      for (const each of gauges) each.remove({ namespace, pool });
      for (const direction of ["up", "down"]) resizes.remove({ namespace, pool, direction });
      for (const state of ["idle", "timed-out"]) removals.remove({ namespace, pool, state });
    },
  };
}

/** Slots that are known to run a task. */
export const busySlots = ({ pods }: Observation): number => pods.reduce((sum, { busy }) => sum + (busy ?? 0), 0);
