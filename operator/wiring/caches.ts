import { POOL_LABEL } from "../../worker/contract/names.ts";
import type { KubePort, Resource, Selection } from "../adapters/ports.ts";
import type { HorizontalPodAutoscaler } from "../autoscale/decide/rivals.ts";
import { type Broker, brokerKind } from "../kinds/broker/schema.ts";
import { type Schedule, scheduleKind } from "../kinds/schedule/schema.ts";
import { type Store, storeKind } from "../kinds/store/schema.ts";
import { TOPOLOGY } from "../kinds/topology.ts";
import type { TopologyObject } from "../kinds/topology-kind.ts";
import type { Deployment } from "../kinds/worker-pool/deployment.ts";
import type { DisruptionBudget } from "../kinds/worker-pool/disruption-budget.ts";
import type { Pod } from "../kinds/worker-pool/pods.ts";
import { type WorkerPool, workerPoolKind } from "../kinds/worker-pool/schema.ts";
import { type Cache, createCache } from "../runtime/cache/cache.ts";
import type { Clock } from "../runtime/clock.ts";
import { resourceOf } from "../runtime/define-kind.ts";
import type { Check } from "../runtime/health.ts";
import type { Liveness } from "../runtime/liveness.ts";
import type { Log } from "../runtime/log.ts";
import type { KubeObject } from "../runtime/object.ts";
import type { TopologyCache } from "../topology/members.ts";

const PODS: Resource = { group: "", version: "v1", plural: "pods", kind: "Pod" };
const DEPLOYMENTS: Resource = { group: "apps", version: "v1", plural: "deployments", kind: "Deployment" };
const BUDGETS: Resource = { group: "policy", version: "v1", plural: "poddisruptionbudgets", kind: "PodDisruptionBudget" };
const HPAS: Resource = { group: "autoscaling", version: "v2", plural: "horizontalpodautoscalers", kind: "HorizontalPodAutoscaler" };

/** Everything that the operator watches. Secrets and ConfigMaps are not among it: they are read by name. */
export interface Caches {
  readonly brokers: Cache<Broker>;
  readonly schedules: Cache<Schedule>;
  /** One per kind of topology. */
  readonly topology: readonly TopologyCache[];
  readonly stores: Cache<Store>;
  readonly pools: Cache<WorkerPool>;
  readonly deployments: Cache<Deployment>;
  readonly pods: Cache<Pod>;
  readonly budgets: Cache<DisruptionBudget>;
  readonly hpas: Cache<HorizontalPodAutoscaler>;
}

export interface CachesOptions {
  readonly kube: Pick<KubePort, "list" | "watch">;
  readonly namespaces: readonly string[];
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly liveness: Liveness;
}

/** A watch lasts a minute at most, and the longest wait between two is ten seconds. */
const SILENCE_MS = 300_000;

/** Of Deployments, pods and budgets only those of pools; of HPAs all, for any of them may scale a pool. Nothing is started. */
export function createCaches(options: CachesOptions): Caches {
  const all = <T extends KubeObject>(resource: Resource, selection: Selection = {}) => {
    const { beat } = options.liveness.watch(`watch of ${resource.plural}`, SILENCE_MS);
    return createCache<T>({ ...options, resource, selection, onRound: beat });
  };
  const ofPools = <T extends KubeObject>(resource: Resource) => all<T>(resource, { labelSelector: POOL_LABEL });
  return {
    brokers: all(resourceOf(brokerKind)),
    schedules: all(resourceOf(scheduleKind)),
    topology: TOPOLOGY.map((kind) => ({ kind, cache: all<TopologyObject>(resourceOf(kind.kind)) })),
    stores: all(resourceOf(storeKind)),
    pools: all(resourceOf(workerPoolKind)),
    deployments: ofPools(DEPLOYMENTS),
    pods: ofPools(PODS),
    budgets: ofPools(BUDGETS),
    hpas: all(HPAS),
  };
}

export const allOf = ({ topology, ...others }: Caches): readonly Cache<KubeObject>[] => [
  ...Object.values(others),
  ...topology.map(({ cache }) => cache),
];

/** One check per cache: ready when it has told all that there is; a cause is shown even when it is ready but not fresh. */
export const readiness = (caches: Caches): readonly Check[] =>
  allOf(caches).map((cache) => ({
    name: cache.resource.plural,
    state() {
      const { synced, cause } = cache.state();
      return cause === undefined ? { ready: synced } : { ready: synced, cause };
    },
  }));

/** Says, once, that everything is known: a standby is as ready as the leader. */
export async function warmed(caches: Caches, signal: AbortSignal, log: Log): Promise<void> {
  try {
    await Promise.all(allOf(caches).map((cache) => cache.synced(signal)));
    log.info(
      { objects: Object.fromEntries(allOf(caches).map((cache) => [cache.resource.plural, cache.list().length])) },
      "caches are warm",
    );
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
