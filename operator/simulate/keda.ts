import type { System } from "./system.ts";
import type { SimPod, World } from "./world.ts";

/** What a ScaledObject with one RabbitMQ trigger of mode QueueLength says; defaults are KEDA's own. */
export interface KedaSettings {
  /** Tasks per replica: the trigger's `value`. */
  readonly value: number;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly pollingMs: number;
  readonly cooldownMs: number;
  readonly activationValue: number;
  /** When the three loops begin, ms: nobody aligns them. */
  readonly phases: { readonly poll: number; readonly sync: number; readonly statistics: number; readonly collector: number };
}

export const KEDA_DEFAULTS: Omit<KedaSettings, "value" | "minReplicas" | "maxReplicas"> = {
  pollingMs: 30_000,
  cooldownMs: 300_000,
  activationValue: 0,
  phases: { poll: 11_000, sync: 4_000, statistics: 1_000, collector: 3_500 },
};

/** `--horizontal-pod-autoscaler-sync-period`, `-tolerance`, `-downscale-stabilization`. */
const SYNC_MS = 15_000;
const TOLERANCE = 0.1;
const DOWN_WINDOW_MS = 300_000;
/** RabbitMQ's `collect_statistics_interval`; the management's collector copies as often. */
const STATISTICS_MS = 5_000;

interface Recommendation {
  readonly at: number;
  readonly replicas: number;
}

/**
 * KEDA 2.21 with its HPA, as their sources read: the KEDA operator moves 0 <-> 1 (poll, cooldown), the HPA moves 1 <-> N
 * (`calcPlainMetricReplicas` for an external AverageValue, without `behavior`: max(2n, 4) per sync up, the highest recommendation of
 * 300 s down), on the management API's count, which is 2.5 to 7.5 s old. Victims: newest first, busy or not; SIGTERM lets them
 * finish within the grace period of the world.
 */
export function createKeda(settings: KedaSettings): System {
  const { value, minReplicas, maxReplicas, pollingMs, cooldownMs, phases } = settings;
  const least = Math.max(1, minReplicas);
  const next = { poll: phases.poll, sync: phases.sync, statistics: phases.statistics, collector: phases.collector };
  let emitted = 0;
  let metric = 0;
  let lastActive = Number.NEGATIVE_INFINITY;
  let recommendations: readonly Recommendation[] = [];
  let wanted: number | undefined;

  const setScale = (world: World, to: number): void => {
    const pods = world.pods();
    wanted = to;
    if (to > pods.length) world.create(to - pods.length);
    else for (const pod of victims(pods, pods.length - to)) world.remove(pod.name);
  };

  /** `requestScale`, scale_scaledobjects.go. */
  const poll = (world: World): void => {
    const isActive = metric > settings.activationValue;
    const replicas = world.pods().length;
    if (isActive) {
      lastActive = world.now;
      if (replicas === 0) setScale(world, least);
    } else if (replicas > 0 && minReplicas === 0 && world.now - lastActive > cooldownMs) setScale(world, 0);
    else if (replicas < minReplicas) setScale(world, minReplicas);
  };

  /** `reconcileAutoscaler`, horizontal.go: a target of zero replicas disables it. */
  const sync = (world: World): void => {
    const { now } = world;
    const current = world.pods().length;
    if (current === 0) return;
    const usage = metric / (value * current);
    const proposed = Math.abs(usage - 1) <= TOLERANCE ? current : Math.ceil(metric / value);
    if (recommendations.length === 0) recommendations = [{ at: now, replicas: current }];
    recommendations = [...recommendations.filter(({ at }) => at >= now - DOWN_WINDOW_MS), { at: now, replicas: proposed }];
    const stabilized = Math.max(...recommendations.map(({ replicas }) => replicas));
    const most = Math.min(maxReplicas, Math.max(2 * current, 4));
    const replicas = Math.max(least, Math.min(most, stabilized));
    if (replicas !== current) setScale(world, replicas);
  };

  return {
    next: () => Math.min(next.poll, next.sync, next.statistics, next.collector),
    act(world) {
      const { now } = world;
      if (now >= next.statistics) {
        next.statistics += STATISTICS_MS;
        emitted = world.ready + world.unacked;
      }
      if (now >= next.collector) {
        next.collector += STATISTICS_MS;
        metric = emitted;
      }
      if (now >= next.poll) {
        next.poll += pollingMs;
        poll(world);
      }
      if (now >= next.sync) {
        next.sync += SYNC_MS;
        sync(world);
      }
    },
    wanted: (world) => wanted ?? world.pods().length,
  };
}

/** The ReplicaSet controller's order without deletion costs: those that are not ready, then the newest. Nobody asks which are busy. */
const victims = (pods: readonly SimPod[], count: number): readonly SimPod[] =>
  [...pods].sort((a, b) => Number(a.ready) - Number(b.ready) || b.createdAt - a.createdAt || (a.name < b.name ? 1 : -1)).slice(0, count);
