import type { BrokerEndpoint, StoreEndpoint } from "../adapters/ports.ts";
import { brokerEndpoint } from "../kinds/broker/endpoint.ts";
import type { Broker } from "../kinds/broker/schema.ts";
import type { Schedule } from "../kinds/schedule/schema.ts";
import { storeEndpoint } from "../kinds/store/endpoint.ts";
import type { Store } from "../kinds/store/schema.ts";
import type { Cache } from "../runtime/cache/cache.ts";
import type { Clock } from "../runtime/clock.ts";
import { createLinks } from "../runtime/links.ts";
import type { Log } from "../runtime/log.ts";
import type { SecretReader } from "../runtime/secrets.ts";
import type { EventRecorder } from "../runtime/truth/events.ts";
import { Waiting } from "../runtime/truth/outcome.ts";
import type { StatusWriter } from "../runtime/truth/status.ts";
import { createTransitions } from "../runtime/truth/transitions.ts";
import type { Entry } from "./entry.ts";
import { createScheduleLoop, type ScheduleLoop } from "./loop.ts";
import type { ScheduleMetrics } from "./metrics.ts";
import type { PublishPort, RecordPort } from "./ports.ts";
import { createReporter, type Reporter } from "./report.ts";
import { createTargets } from "./targets.ts";

export interface SchedulesOptions {
  readonly caches: { readonly schedules: Cache<Schedule>; readonly brokers: Cache<Broker>; readonly stores: Cache<Store> };
  readonly secrets: Pick<SecretReader, "read" | "watch">;
  readonly connectPublishing: (endpoint: BrokerEndpoint) => PublishPort;
  readonly connectRecords: (endpoint: StoreEndpoint) => RecordPort;
  readonly status: StatusWriter;
  readonly events: Pick<EventRecorder, "record">;
  readonly metrics: ScheduleMetrics;
  readonly clock: Clock;
  readonly log: Log;
  /** Unique per process. */
  readonly identity: string;
  /** How long a claim lasts, ms; default 3,000. Whoever takes over from a leader that was killed waits no longer than that. */
  readonly claimMs?: number;
  /** Up to this lateness, ms, a due time is published whatever `catchUp` says; default 15,000. */
  readonly onTimeMs?: number;
}

export interface Schedules extends AsyncDisposable {
  readonly loop: ScheduleLoop;
  readonly reporter: Reporter;
  /** Begins to work by itself. */
  start(): void;
}

/** Connections that no schedule needs any more are closed this often, ms. */
const SWEEP_MS = 30_000;
let terms = 0;

/**
 * The schedules of one term of leadership. Its caches must be synced. From the moment that the signal aborts nothing more is published; disposing of it
 * waits for what is under way.
 */
export function startSchedules(options: SchedulesOptions, signal: AbortSignal): Schedules {
  const { caches, secrets, clock, log, events, metrics, identity } = options;
  using stack = new DisposableStack();
  const shared = { secrets, clock, log, signal, onChange: () => loop.lookAgain() };
  const brokerTargets = stack.use(
    createTargets({
      ...shared,
      cache: caches.brokers,
      missing: "BrokerMissing",
      secretsOf,
      locate: (object) => locateBroker(object, secrets),
    }),
  );
  const storeTargets = stack.use(
    createTargets({
      ...shared,
      cache: caches.stores,
      missing: "StoreMissing",
      secretsOf,
      locate: (object) => locateStore(object, secrets),
    }),
  );
  const brokers = createLinks(options.connectPublishing, log);
  const stores = createLinks(options.connectRecords, log);
  const brokerOf = (namespace: string, name: string) => brokerTargets.of(namespace, name);
  const storeOf = (namespace: string, name: string) => storeTargets.of(namespace, name);
  const transitions = createTransitions(events, "Schedule");
  const reporter = createReporter({ ...options, stores, storeOf, transitions, signal });
  terms += 1;
  const loop = createScheduleLoop({
    schedules: caches.schedules,
    brokerOf,
    storeOf,
    brokers,
    stores,
    clock,
    log,
    events,
    signal,
    owner: `${identity}/${terms}`,
    origin: `gen${terms}@${identity}`,
    claimMs: options.claimMs ?? 3_000,
    onTimeMs: options.onTimeMs ?? 15_000,
    onPublished: metrics.published,
    onMissed(entry, count, why) {
      metrics.leftOut(why, count);
      events.record({ regarding: entry.object, ...WHY[why](count), action: "Schedule" });
    },
    onChange: (entry, urgent) => reporter.tell(entry, urgent),
  });
  const sweep = (): void => {
    const all = [...loop.entries()];
    metrics.known(all.length);
    for (const { metadata, spec } of uniqueTargets(all)) {
      const broker = brokerOf(metadata.namespace ?? "", spec.brokerRef.name);
      const store = storeOf(metadata.namespace ?? "", spec.storeRef.name);
      // Opened before anything is due there.
      if ("host" in broker) brokers.to(broker);
      if ("uri" in store) stores.to(store);
    }
    brokers.sweep();
    stores.sweep();
  };
  let timer: Disposable | undefined;
  const sweeping = (ms: number): void => {
    timer = clock.after(ms, () => {
      sweep();
      sweeping(SWEEP_MS);
    });
  };
  const owned = stack.move();
  return {
    loop,
    reporter,
    start() {
      loop.start();
      sweeping(0);
    },
    async [Symbol.asyncDispose]() {
      timer?.[Symbol.dispose]();
      await loop[Symbol.asyncDispose]();
      await reporter[Symbol.asyncDispose]();
      owned.dispose();
      await Promise.all([brokers[Symbol.asyncDispose](), stores[Symbol.asyncDispose]()]);
    },
  };
}

const WHY = {
  late: (count: number) =>
    ({ reason: "DueTimesMissed", note: `${count < 20 ? count : "20 or more"} due times were too late and are left out` }) as const,
  forbidden: () => ({ reason: "RunForbidden", note: "a due time is left out: the run before has not finished" }) as const,
};

const secretsOf = ({ spec }: Broker | Store): readonly string[] => [spec.uriFrom.secretKeyRef.name];

function uniqueTargets(entries: readonly Entry[]): Iterable<Schedule> {
  const unique = new Map<string, Schedule>();
  for (const { object } of entries) {
    const { metadata, spec } = object;
    unique.set(`${metadata.namespace}/${spec.brokerRef.name}/${spec.storeRef.name}`, object);
  }
  return unique.values();
}

async function locateBroker(broker: Broker, secrets: Pick<SecretReader, "read">): Promise<BrokerEndpoint> {
  const found = brokerEndpoint(await uriOf(broker, secrets));
  if ("message" in found) throw new Waiting("SecretInvalid", `Broker ${broker.metadata.name}: ${found.message}`);
  return found;
}

async function locateStore(store: Store, secrets: Pick<SecretReader, "read">): Promise<StoreEndpoint> {
  const found = storeEndpoint(await uriOf(store, secrets));
  if ("message" in found) throw new Waiting("SecretInvalid", `Store ${store.metadata.name}: ${found.message}`);
  return found;
}

const uriOf = ({ metadata, spec }: Broker | Store, secrets: Pick<SecretReader, "read">): Promise<string> =>
  secrets.read(metadata.namespace ?? "", spec.uriFrom.secretKeyRef.name, spec.uriFrom.secretKeyRef.key);
