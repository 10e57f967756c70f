import { Registry } from "prom-client";
import { type BrokerEndpoint, BrokerError, type StoreEndpoint } from "../../operator/adapters/ports.ts";
import type { Schedule } from "../../operator/kinds/schedule/schema.ts";
import type { Change } from "../../operator/runtime/cache/cache.ts";
import { createLinks } from "../../operator/runtime/links.ts";
import { createScheduleLoop, type ScheduleLoop } from "../../operator/schedules/loop.ts";
import { createScheduleMetrics } from "../../operator/schedules/metrics.ts";
import type { Hash, Publication, PublishPort, RecordPort, RunState } from "../../operator/schedules/ports.ts";
import { createFakeClock, type FakeClock } from "./clock.ts";
import { createRecordingLog } from "./log.ts";

/** A broker and a store in memory, which may fail, and as many leaders as a test wants. */
export interface ScheduleWorld {
  readonly clock: FakeClock;
  readonly published: Publication[];
  readonly revoked: string[];
  readonly notes: { readonly reason: string; readonly note: string }[];
  readonly records: Map<string, Record<string, string>>;
  readonly runs: Map<string, RunState>;
  /** What the status is to say, whenever somebody waits to see it: the reason, and the generation that it speaks of. */
  readonly told: string[];
  /** What fails now. `swallow`: the broker takes a message and its confirm is lost. */
  readonly broken: { broker?: boolean; swallow?: boolean; store?: boolean; settle?: boolean; secrets?: boolean };
  /** How long the store takes for each schedule that a request names, and the broker for each message, ms: one after the other, whoever asks. */
  readonly slow: { storeMs?: number; publishMs?: number };
  /** How long the longest claim was held before it was settled, ms, and how many were settled too late. */
  readonly claims: { longestMs: number; late: number };
  /** Puts a schedule there for every leader, or takes it away. */
  put(object: Schedule): void;
  leader(name: string): ScheduleLoop & { end(): void };
  /** Lets time pass and leaders act. */
  pass(ms: number): Promise<void>;
  /** Due times that were published, in minutes since the beginning. */
  dues(): readonly number[];
}

const CLAIM_MS = 3_000;
const ENDPOINT: BrokerEndpoint = {
  host: "b",
  port: 1,
  vhost: "/",
  tls: false,
  username: "u",
  password: "p",
  management: { url: "", username: "", password: "" },
  display: "b:1/",
};
const STORE: StoreEndpoint = { uri: "redis://r", display: "r:6379/0" };

/** A schedule as the API server would have it. */
export function scheduleObject(spec: Partial<Schedule["spec"]>, metadata: Partial<Schedule["metadata"]> = {}): Schedule {
  return {
    apiVersion: "longshore.dev/v1alpha1",
    kind: "Schedule",
    metadata: {
      name: "s",
      namespace: "default",
      uid: "uid-s",
      generation: 1,
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00Z",
      ...metadata,
    },
    spec: {
      brokerRef: { name: "b" },
      storeRef: { name: "r" },
      timeZone: "UTC",
      suspend: false,
      catchUp: "FireOnce",
      concurrencyPolicy: "Allow",
      maxRunSeconds: 86_400,
      task: "t",
      args: [],
      kwargs: {},
      queue: "q",
      ...spec,
    },
  };
}

/** Who serves one at a time, as a Redis does. */
function createQueueing(clock: FakeClock): (ms: number) => Promise<void> {
  let free = 0;
  return async (ms) => {
    if (ms === 0) return;
    free = Math.max(free, clock.elapsed()) + ms;
    await new Promise<void>((resolve) => void clock.after(free - clock.elapsed(), resolve));
  };
}

export function createScheduleWorld(): ScheduleWorld {
  const clock = createFakeClock();
  const began = clock.now();
  const objects = new Map<string, Schedule>();
  const listeners = new Set<(change: Change<Schedule>) => void>();
  const broken: ScheduleWorld["broken"] = {};
  const slow: ScheduleWorld["slow"] = {};
  const claims = { longestMs: 0, late: 0 };
  const [storeTakes, brokerTakes] = [createQueueing(clock), createQueueing(clock)];
  const world = {
    clock,
    broken,
    slow,
    claims,
    published: [] as Publication[],
    revoked: [] as string[],
    told: [] as string[],
    notes: [] as ScheduleWorld["notes"],
    records: new Map(),
    runs: new Map<string, RunState>(),
  };

  const publishing: PublishPort = {
    ready: async () => broken.broker !== true,
    async publish(message) {
      if (broken.broker === true) throw new BrokerError("unreachable", "amqp", "the broker is away");
      await brokerTakes(slow.publishMs ?? 0);
      world.published.push(message);
      if (broken.swallow === true) throw new BrokerError("unreachable", "amqp", "the confirm was lost");
    },
    revoke: async (id) => void world.revoked.push(id),
    [Symbol.asyncDispose]: async () => {},
  };
  const guard = (settling = false): void => {
    if (broken.store === true || (settling && broken.settle === true))
      throw Object.assign(new Error("the store is away"), { failure: "StoreUnreachable" });
  };
  let fence = 0;
  /** As claim.lua and settle.lua; the test of the adapter tries them on a Redis. */
  const records: RecordPort = {
    async read(uids) {
      guard();
      await storeTakes(uids.length * (slow.storeMs ?? 0));
      return uids.map((uid): Hash => ({ ...world.records.get(uid) }));
    },
    async claim(requests, owner, claimMs) {
      guard();
      await storeTakes(requests.length * (slow.storeMs ?? 0));
      return requests.map(({ uid, cursor }) => {
        const record = world.records.get(uid) ?? {};
        if ((record.cursor ?? "") !== cursor) return { moved: true };
        if (record.owner !== undefined && record.owner !== owner && Number(record.exp) > clock.now())
          return { busy: Number(record.exp) - clock.now() };
        fence += 1;
        world.records.set(uid, { ...record, owner, exp: String(clock.now() + claimMs), fence: String(fence) });
        return { held: String(fence) };
      });
    },
    async settle(entries) {
      guard(true);
      await storeTakes(entries.length * (slow.storeMs ?? 0));
      return entries.map(({ uid, fence: of, fields }) => {
        const { owner: _, exp, ...record } = world.records.get(uid) ?? {};
        if (exp !== undefined) claims.longestMs = Math.max(claims.longestMs, clock.now() - (Number(exp) - CLAIM_MS));
        if (record.fence !== of) {
          claims.late += 1;
          return false;
        }
        world.records.set(uid, { ...record, ...fields });
        return true;
      });
    },
    forget: async (uid) => void world.records.delete(uid),
    async runs(ids) {
      guard();
      return ids.map((id) => world.runs.get(id));
    },
    [Symbol.asyncDispose]: async () => {},
  };

  return {
    ...world,
    put(object) {
      const previous = objects.get(object.metadata.name);
      objects.set(object.metadata.name, object);
      for (const listener of listeners)
        listener({ key: `default/${object.metadata.name}`, object, ...(previous === undefined ? {} : { previous }), initial: false });
    },
    leader(name) {
      const stop = new AbortController();
      const log = createRecordingLog();
      const metrics = createScheduleMetrics(new Registry());
      const loop = createScheduleLoop({
        schedules: {
          subscribe(listener) {
            for (const object of objects.values()) listener({ key: `default/${object.metadata.name}`, object, initial: true });
            listeners.add(listener);
            return { [Symbol.dispose]: () => listeners.delete(listener) };
          },
        },
        brokerOf: () => (broken.secrets === true ? { reason: "Pending", message: "not looked at yet" } : ENDPOINT),
        storeOf: () => STORE,
        brokers: createLinks(() => publishing, log),
        stores: createLinks(() => records, log),
        onChange: ({ object, trouble }, urgent) => {
          if (urgent) world.told.push(`${object.metadata.generation} ${trouble?.message ?? "ok"}`);
        },
        onMissed: (_, count, why) => void world.notes.push({ reason: why, note: String(count) }),
        onPublished: metrics.published,
        events: { record: ({ reason, note }) => void world.notes.push({ reason, note }) },
        owner: name,
        origin: `gen1@${name}`,
        claimMs: CLAIM_MS,
        onTimeMs: 15_000,
        signal: stop.signal,
        clock,
        log,
      });
      loop.start();
      return { ...loop, end: () => stop.abort() };
    },
    async pass(ms) {
      await clock.advance(ms);
    },
    dues: () => world.published.map(({ headers }) => (Date.parse(String(headers["longshore-due"])) - began) / 60_000),
  };
}
