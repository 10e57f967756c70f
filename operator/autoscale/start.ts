import type { BrokerEndpoint, KubePort, StoreEndpoint, StorePort } from "../adapters/ports.ts";
import type { Deployment } from "../kinds/worker-pool/deployment.ts";
import type { Pod } from "../kinds/worker-pool/pods.ts";
import type { WorkerPool } from "../kinds/worker-pool/schema.ts";
import type { PoolOutcome } from "../kinds/worker-pool/status.ts";
import type { Cache } from "../runtime/cache/cache.ts";
import type { Clock } from "../runtime/clock.ts";
import { createLinks } from "../runtime/links.ts";
import { errorFields, type Log } from "../runtime/log.ts";
import type { ObjectKey } from "../runtime/object.ts";
import type { EventRecorder } from "../runtime/truth/events.ts";
import type { StatusWriter } from "../runtime/truth/status.ts";
import type { HorizontalPodAutoscaler } from "./decide/rivals.ts";
import { type BrokerLoop, createBrokerLoop } from "./loop.ts";
import type { AutoscaleMetrics } from "./metrics.ts";
import { createPools } from "./pools.ts";
import { type BrokerLink, type BrokerSensor, createBrokerSensor } from "./sense/broker-sensor.ts";
import { indexPods } from "./sense/pod-index.ts";
import { createStoreSensor, type StoreSensor } from "./sense/store-sensor.ts";

export interface AutoscalerOptions {
  readonly caches: {
    readonly pools: Cache<WorkerPool>;
    readonly deployments: Cache<Deployment>;
    readonly pods: Cache<Pod>;
    readonly hpas?: Pick<Cache<HorizontalPodAutoscaler>, "list">;
  };
  readonly kube: Pick<KubePort, "patch">;
  /** Where a Broker object leads, or why that is not known. The same object while nothing changed. */
  readonly endpointOf: (namespace: string, broker: string) => BrokerEndpoint | { readonly message: string };
  /** Where a Store object leads, or why that is not known. The same object while nothing changed. */
  readonly storeEndpointOf: (namespace: string, store: string) => StoreEndpoint | { readonly message: string };
  /** Opens in the background: never throws. */
  readonly connectBroker: (endpoint: BrokerEndpoint) => BrokerLink;
  readonly connectStore: (endpoint: StoreEndpoint) => StorePort;
  readonly outcomeOf: (pool: ObjectKey) => PoolOutcome | undefined;
  readonly status: StatusWriter;
  readonly events: Pick<EventRecorder, "record">;
  readonly metrics: AutoscaleMetrics;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Autoscaler extends AsyncDisposable {
  /** One look at every pool; ends when what was decided is done. The loops do the same by themselves once started. */
  runOnce(): Promise<void>;
  /** Begins to look by itself. Twice is once. */
  start(): void;
}

/** Heartbeats are read this often, ms: as often as they come. */
const STORES_EVERY_MS = 500;
/** Brokers that came or went, and pools without one, are noticed this often, ms. */
const SUPERVISE_EVERY_MS = 1_000;

/** The autoscaler of all pools: one loop per broker, one per round of stores. Only the leader may run it. Its caches must be synced. */
export function createAutoscaler(options: AutoscalerOptions): Autoscaler {
  const { clock, log, connectBroker, connectStore } = options;
  const elapsed = () => clock.elapsed();
  const brokers = createLinks<BrokerEndpoint, BrokerSensor>((endpoint) => createBrokerSensor(endpoint, connectBroker(endpoint)), log);
  const stores = createLinks<StoreEndpoint, StoreSensor>((endpoint) => createStoreSensor(connectStore(endpoint)), log);
  const index = indexPods(options.caches.pods);
  const pools = createPools({ ...options, index, brokers, stores });
  const loops = new Map<BrokerSensor, BrokerLoop>();
  const timers = new Set<Disposable>();
  const running = new Set<Promise<void>>();
  let started = false;
  let stopped = false;

  const loopOf = (sensor: BrokerSensor): BrokerLoop => {
    const loop =
      loops.get(sensor) ??
      createBrokerLoop({ sensor, clock, pools: () => pools.on(sensor), evaluate: (key, rest) => pools.evaluate(key, rest) });
    loops.set(sensor, loop);
    return loop;
  };

  /** Opens and closes what the pools need now; pools without a broker are looked at here. */
  const supervise = async (): Promise<void> => {
    pools.refresh();
    const needed = new Set(pools.sensors());
    for (const sensor of needed) {
      const loop = loopOf(sensor);
      if (started) loop.start();
    }
    for (const [sensor, loop] of loops) {
      if (needed.has(sensor)) continue;
      loops.delete(sensor);
      await loop[Symbol.asyncDispose]();
    }
    brokers.sweep();
    stores.sweep();
    await Promise.all(pools.on(undefined).map(({ key }) => pools.evaluate(key).acted));
  };

  const listen = async (): Promise<void> => {
    await Promise.all(pools.listeners().map(({ store, pools: of }) => store.listen(of, elapsed)));
  };

  const every = (ms: number, work: () => Promise<void>, first = ms): void => {
    if (stopped) return;
    const timer = clock.after(first, () => {
      timers.delete(timer);
      const done: Promise<void> = work()
        .catch((error: unknown) => log.error(errorFields(error), "a round of the autoscaler failed"))
        .finally(() => {
          running.delete(done);
          every(ms, work);
        });
      running.add(done);
    });
    timers.add(timer);
  };

  return {
    async runOnce() {
      await supervise();
      await listen();
      await Promise.all([...loops.values()].map((loop) => loop.runOnce()));
    },
    start() {
      if (started) return;
      started = true;
      every(SUPERVISE_EVERY_MS, supervise, 0);
      every(STORES_EVERY_MS, listen, 0);
    },
    async [Symbol.asyncDispose]() {
      if (stopped) return;
      stopped = true;
      for (const timer of timers) timer[Symbol.dispose]();
      await Promise.all(running);
      await Promise.all([...loops.values()].map((loop) => loop[Symbol.asyncDispose]()));
      await pools.settled();
      index[Symbol.dispose]();
      await Promise.all([brokers[Symbol.asyncDispose](), stores[Symbol.asyncDispose]()]);
    },
  };
}
