import type { BrokerEndpoint, StoreEndpoint } from "../adapters/ports.ts";
import type { Schedule } from "../kinds/schedule/schema.ts";
import type { Cache, Change } from "../runtime/cache/cache.ts";
import type { Links } from "../runtime/links.ts";
import type { ObjectKey } from "../runtime/object.ts";
import { type BatchDeps, runBatch } from "./batch.ts";
import type { Entry, Trouble } from "./entry.ts";
import { createHeap } from "./heap.ts";
import type { PublishPort, RecordPort } from "./ports.ts";
import { RUN_NOW_ANNOTATION } from "./record.ts";

export interface LoopOptions extends BatchDeps {
  readonly schedules: Pick<Cache<Schedule>, "subscribe">;
  /** Where a Broker or Store object leads, or why nobody knows. */
  readonly brokerOf: (namespace: string, name: string) => BrokerEndpoint | Trouble;
  readonly storeOf: (namespace: string, name: string) => StoreEndpoint | Trouble;
  readonly brokers: Links<BrokerEndpoint, PublishPort>;
  readonly stores: Links<StoreEndpoint, RecordPort>;
  /** Told whenever what is known of a schedule has changed; `urgent`: somebody waits to see it. */
  readonly onChange: (entry: Entry, urgent: boolean) => void;
}

export interface ScheduleLoop extends AsyncDisposable {
  /** Does what is due now, to its end. */
  runOnce(): Promise<void>;
  /** Works by itself from now on: sleeps until the next due time. Twice is once. */
  start(): void;
  /** Looks at once at what had no place to go: a Broker or Store is there now. */
  lookAgain(): void;
  entries(): Iterable<Entry>;
}

/**
 * Most schedules of one batch, and most batches side by side: to plan takes the processor, and what is claimed must be out before its claim ends. Many
 * small ones: a broker confirms what it wrote to disk some tens of milliseconds later, and nobody else should wait for that.
 */
const BATCH = 50;
const SIDE_BY_SIDE = 20;
/** How soon a Broker or Store that was not there is looked for again, ms. */
const MISSING_MS = 1_000;
/** Looks at the clock at least so often, ms: it may have been set. */
const LONGEST_SLEEP_MS = 30_000;

/** Publishes what is due. One queue by time for all schedules, one timer. Only the leader may run it; two that do are kept apart by claims. */
export function createScheduleLoop(options: LoopOptions): ScheduleLoop {
  const { clock, onChange } = options;
  const stop = new AbortController();
  const deps = { ...options, signal: AbortSignal.any([options.signal, stop.signal]) };
  const entries = new Map<ObjectKey, Entry>();
  const queue = createHeap<{ readonly entry: Entry; readonly at: number }>();
  const running = new Set<Promise<void>>();
  const homeless = new Set<Entry>();
  let timer: Disposable | undefined;
  let started = false;

  const schedule = (entry: Entry): void => {
    if (entry.gone || entry.at === Number.POSITIVE_INFINITY) return;
    queue.push(entry.at, { entry, at: entry.at });
  };
  const arm = (): void => {
    timer?.[Symbol.dispose]();
    timer = undefined;
    const { nextAt } = queue;
    if (!started || stop.signal.aborted || nextAt === undefined) return;
    timer = clock.after(Math.min(Math.max(0, nextAt - clock.now()), LONGEST_SLEEP_MS), round);
  };

  const follow = ({ key, object, previous }: Change<Schedule>): void => {
    const known = entries.get(key);
    if (object === undefined || (known !== undefined && known.object.metadata.uid !== object.metadata.uid)) {
      if (known !== undefined) forget(known);
      entries.delete(key);
    }
    if (object === undefined) return;
    const entry = entries.get(key) ?? { key, object, busy: false, again: false, gone: false, at: 0 };
    const before = entry.object;
    entries.set(key, entry);
    entry.object = object;
    const same = previous !== undefined && before.metadata.generation === object.metadata.generation && asked(before) === asked(object);
    if (same) return; // Our own status.
    delete entry.read;
    if (entry.busy) entry.again = true;
    else wake(entry);
  };
  const wake = (entry: Entry): void => {
    entry.at = clock.now();
    schedule(entry);
    if (queue.nextAt === entry.at) arm();
  };
  const forget = (entry: Entry): void => {
    entry.gone = true;
    homeless.delete(entry);
    const store = options.storeOf(entry.object.metadata.namespace ?? "", entry.object.spec.storeRef.name);
    // Without it the record goes by itself, in time.
    if ("uri" in store)
      options.stores
        .to(store)
        .forget(entry.object.metadata.uid ?? "")
        .catch(() => undefined);
  };

  /** Everything that is due, by where it goes. What has no place yet is looked for again. */
  const takeDue = (): ReadonlyMap<
    string,
    { readonly broker: BrokerEndpoint; readonly store: StoreEndpoint; readonly entries: Entry[] }
  > => {
    const now = clock.now();
    const groups = new Map<string, { broker: BrokerEndpoint; store: StoreEndpoint; entries: Entry[] }>();
    for (let item = queue.take(now); item !== undefined; item = queue.take(now)) {
      const { entry, at } = item;
      if (entry.gone || entry.busy || entry.at !== at) continue;
      const { metadata, spec } = entry.object;
      const broker = options.brokerOf(metadata.namespace ?? "", spec.brokerRef.name);
      const store = options.storeOf(metadata.namespace ?? "", spec.storeRef.name);
      if ("reason" in broker || "reason" in store) {
        const trouble = "reason" in broker ? broker : (store as Trouble);
        if (reasonTold(trouble) !== reasonTold(entry.trouble) || isNew(entry.object)) onChange(entry, true);
        entry.trouble = trouble;
        entry.at = now + MISSING_MS;
        homeless.add(entry);
        schedule(entry);
        continue;
      }
      entry.busy = true;
      homeless.delete(entry);
      const group = `${broker.display}\n${broker.username}\n${store.uri}`;
      const known = groups.get(group) ?? { broker, store, entries: [] };
      known.entries.push(entry);
      groups.set(group, known);
    }
    return groups;
  };

  const work = async (batch: readonly Entry[], broker: BrokerEndpoint, store: StoreEndpoint): Promise<void> => {
    const before = batch.map(({ memory, trouble }) => ({ memory, trouble }));
    await runBatch(batch, options.stores.to(store), options.brokers.to(broker), deps);
    for (const [at, entry] of batch.entries()) {
      entry.busy = false;
      const { again } = entry;
      entry.again = false;
      if (entry.trouble?.reason === "Pending") delete entry.trouble;
      if (again) wake(entry);
      else schedule(entry);
      const was = before[at];
      const urgent = reasonTold(was?.trouble) !== reasonTold(entry.trouble) || isNew(entry.object);
      if (urgent || was?.memory !== entry.memory || was?.trouble?.message !== entry.trouble?.message) onChange(entry, urgent);
    }
  };

  const beginDue = (): Promise<unknown> => {
    const begun: Promise<void>[] = [];
    for (const { broker, store, entries: of } of takeDue().values()) {
      const batches = Array.from({ length: Math.ceil(of.length / BATCH) }, (_, at) => of.slice(at * BATCH, (at + 1) * BATCH)).values();
      const inTurn = async (): Promise<void> => {
        for (const batch of batches) {
          await work(batch, broker, store);
          arm();
        }
      };
      for (let turn = 0; turn < SIDE_BY_SIDE; turn += 1) {
        const done: Promise<void> = inTurn().finally(() => running.delete(done));
        running.add(done);
        begun.push(done);
      }
    }
    return Promise.all(begun);
  };
  const round = (): void => {
    void beginDue();
    arm();
  };

  const subscription = options.schedules.subscribe(follow);
  return {
    async runOnce() {
      await beginDue();
    },
    start() {
      started = true;
      arm();
    },
    lookAgain() {
      for (const entry of homeless) {
        entry.at = clock.now();
        schedule(entry);
      }
      homeless.clear();
      arm();
    },
    entries: () => entries.values(),
    async [Symbol.asyncDispose]() {
      stop.abort();
      subscription[Symbol.dispose]();
      timer?.[Symbol.dispose]();
      await Promise.all(running);
    },
  };
}

/** `Pending` lasts for milliseconds, and comes to every schedule with every new leader: a thousand writes that say nothing. */
const reasonTold = (trouble: Trouble | undefined): string | undefined => (trouble?.reason === "Pending" ? undefined : trouble?.reason);

/** Nobody has said yet what becomes of the spec as it is now. */
const isNew = ({ metadata, status }: Schedule): boolean => status?.observedGeneration !== metadata.generation;

const asked = ({ metadata }: Schedule): string | undefined => metadata.annotations?.[RUN_NOW_ANNOTATION];
