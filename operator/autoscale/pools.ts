import type { PoolName } from "../../worker/contract/names.ts";
import type { BrokerEndpoint, StoreEndpoint } from "../adapters/ports.ts";
import type { WorkerPool } from "../kinds/worker-pool/schema.ts";
import { BROKEN } from "../kinds/worker-pool/status.ts";
import type { Links } from "../runtime/links.ts";
import { errorFields } from "../runtime/log.ts";
import { isDeleting, keyOf, type ObjectKey } from "../runtime/object.ts";
import { createTransitions } from "../runtime/truth/transitions.ts";
import type { Decision } from "./decide/decide.ts";
import { planOf } from "./decide/policy.ts";
import { findRivals } from "./decide/rivals.ts";
import { NO_FLOOR, type ScheduledFloor, scheduledFloor } from "./decide/scheduled-floor.ts";
import { createPoolRunner, type Run, type RunInput } from "./pool-runner.ts";
import { createPublisher } from "./publish.ts";
import { type Rest, restAfter, stillRests } from "./rest.ts";
import type { BrokerSensor } from "./sense/broker-sensor.ts";
import { createInterviewer, type Interviewer } from "./sense/interview.ts";
import { createMatching } from "./sense/matching.ts";
import type { PodIndex } from "./sense/pod-index.ts";
import type { StoreSensor } from "./sense/store-sensor.ts";
import type { AutoscalerOptions } from "./start.ts";
import type { LoopPool } from "./turns.ts";

export interface PoolsOptions extends Omit<AutoscalerOptions, "connectBroker" | "connectStore"> {
  readonly index: PodIndex;
  readonly brokers: Links<BrokerEndpoint, BrokerSensor>;
  readonly stores: Links<StoreEndpoint, StoreSensor>;
}

/** What is kept for one pool while it exists. */
interface Entry {
  readonly run: (input: RunInput) => Run;
  readonly interviewer: Interviewer;
  readonly match: ReturnType<typeof createMatching>;
  plan: LoopPool["plan"];
  sensor: BrokerSensor | undefined;
  store: StoreSensor | undefined;
  floor: ScheduledFloor;
  /** What the last run set going. */
  acted: Promise<void>;
  /** Why the broker or the store cannot be found. */
  problems: readonly string[];
  mayGrow: boolean;
  /** Set while the pool has what it needs. */
  rest: Rest | undefined;
  /** A warning was said and is not over. */
  told: boolean;
}

export interface Pools {
  /** Takes in which pools there are, and where they lead now. */
  refresh(): void;
  on(sensor: BrokerSensor | undefined): readonly LoopPool[];
  sensors(): readonly BrokerSensor[];
  /** For each store, the pools that may have heartbeats there. */
  listeners(): readonly { readonly store: StoreSensor; readonly pools: readonly PoolName[] }[];
  /**
   * Sees, decides, acts and reports on one pool. Never throws: a pool that fails is logged, and is looked at again the next time.
   * One that `mayRest`, wants nothing and sees the same counts as within the last second, is left alone.
   */
  evaluate(key: ObjectKey, options?: { readonly mayRest?: boolean }): { readonly pending: boolean; readonly acted: Promise<void> };
  /** Resolves when everything that was set going has ended. */
  settled(): Promise<void>;
}

const NOTHING_DONE = { pending: false, acted: Promise.resolve() } as const;

export function createPools(options: PoolsOptions): Pools {
  const { caches, index, brokers, stores, clock, log, metrics, kube, events } = options;
  const entries = new Map<ObjectKey, Entry>();
  const publisher = createPublisher(options);
  const warnings = createTransitions(events, "Scale");

  const enter = (pool: WorkerPool): Entry => {
    const { namespace = "", name } = pool.metadata;
    const runner = { kube, namespace, name, events, metrics, clock, log: log.child({ pool: keyOf(pool) }) };
    const interviewer = createInterviewer(clock);
    return {
      run: createPoolRunner(runner),
      interviewer,
      match: createMatching(),
      plan: planOf(pool, 0),
      sensor: undefined,
      store: undefined,
      floor: NO_FLOOR,
      acted: Promise.resolve(),
      problems: [],
      mayGrow: false,
      rest: undefined,
      told: false,
    };
  };

  const warn = (pool: WorkerPool, entry: Entry, { reason, message }: Decision): void => {
    const broken = reason === "BrokerAlarm" || BROKEN.has(reason);
    if (broken || entry.told) warnings.say(pool, { status: broken ? "False" : "True", reason, message });
    entry.told = broken;
  };

  const refreshOne = (pool: WorkerPool, rivalOf: ReturnType<typeof findRivals>): void => {
    const key = keyOf(pool);
    const { namespace = "" } = pool.metadata;
    const entry = entries.get(key) ?? enter(pool);
    entries.set(key, entry);
    entry.floor = scheduledFloor(pool, entry.floor, clock.now());
    const broker = options.endpointOf(namespace, pool.spec.brokerRef.name);
    entry.sensor = "host" in broker ? brokers.to(broker) : undefined;
    const plan = planOf(pool, entry.floor.replicas, rivalOf(pool) ?? entry.floor.obstacle);
    entry.plan = entry.match(plan, plan.patterns ?? [], entry.sensor?.names(), clock.elapsed());
    const store = pool.spec.storeRef && options.storeEndpointOf(namespace, pool.spec.storeRef.name);
    entry.store = store !== undefined && "uri" in store ? stores.to(store) : undefined;
    entry.problems = [broker, store].flatMap((one) => (one !== undefined && "message" in one ? [one.message] : []));
    const size = caches.deployments.get(key)?.spec.replicas ?? 0;
    const { target, pause, policy } = entry.plan;
    entry.mayGrow = target !== undefined && pause !== "all" && pause !== "up" && size < policy.maxReplicas;
  };

  const evaluate = (key: ObjectKey, mayRest: boolean): ReturnType<Pools["evaluate"]> => {
    const pool = caches.pools.get(key);
    const entry = entries.get(key);
    if (pool === undefined || entry === undefined || isDeleting(pool)) return NOTHING_DONE;
    const deployment = caches.deployments.get(key);
    const pods = index.of(key);
    if (deployment === undefined || isDeleting(deployment)) {
      publisher.publish(pool, undefined, pods, undefined);
      return NOTHING_DONE;
    }
    const { plan, sensor, store, interviewer } = entry;
    const grounds = { pool, deployment, pods, plan, sensor };
    if (mayRest && stillRests(entry.rest, grounds, clock.elapsed())) return NOTHING_DONE;
    const { namespace = "", name } = pool.metadata;
    const run = entry.run({
      pool,
      deployment,
      plan,
      pods,
      broker: sensor,
      beats: store?.beats({ namespace, name }),
      problems: store?.failure === undefined ? entry.problems : [...entry.problems, store.failure],
      ...interviewer.testimony(pool, pods, sensor),
    });
    entry.acted = run.acted;
    entry.rest = restAfter(run, grounds, clock.elapsed());
    metrics.judged(namespace, name, run);
    warn(pool, entry, run.decision);
    publisher.publish(pool, deployment, pods, run);
    return run;
  };

  return {
    refresh() {
      const living = new Set(caches.pools.list().map(keyOf));
      for (const key of entries.keys()) {
        if (living.has(key)) continue;
        entries.delete(key);
        publisher.forget(key);
        const [namespace = "", name = ""] = key.split("/");
        metrics.forget(namespace, name);
      }
      const rivalOf = findRivals(caches.hpas?.list() ?? []);
      for (const pool of caches.pools.list()) refreshOne(pool, rivalOf);
    },
    on: (sensor) =>
      [...entries].flatMap(([key, entry]) => (entry.sensor === sensor ? [{ key, plan: entry.plan, mayGrow: entry.mayGrow }] : [])),
    sensors: () => [...new Set([...entries.values()].flatMap(({ sensor }) => (sensor === undefined ? [] : [sensor])))],
    listeners() {
      const byStore = new Map<StoreSensor, PoolName[]>();
      for (const [key, { store }] of entries) {
        const pool = caches.pools.get(key);
        const mayBeat = index.of(key).length > 0 || (caches.deployments.get(key)?.spec.replicas ?? 0) > 0;
        if (store === undefined || pool === undefined || !mayBeat) continue;
        const { namespace = "", name } = pool.metadata;
        byStore.set(store, [...(byStore.get(store) ?? []), { namespace, name }]);
      }
      return [...byStore].map(([store, pools]) => ({ store, pools }));
    },
    async settled() {
      await Promise.all([...entries.values()].map(({ acted }) => acted));
      await publisher.settled();
    },
    evaluate(key, { mayRest = false } = {}) {
      try {
        return evaluate(key, mayRest);
      } catch (error) {
        log.error({ pool: key, ...errorFields(error) }, "cannot evaluate the pool");
        return NOTHING_DONE;
      }
    },
  };
}
