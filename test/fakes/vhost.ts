import { isDeepStrictEqual } from "node:util";
import {
  BrokerError,
  type BrokerFacts,
  type BrokerObject,
  isSetting,
  type OnChange,
  partOf,
  type Target,
  type TopologyPort,
} from "../../operator/adapters/ports.ts";
import { identityOf, targetOf } from "../../operator/topology/identity.ts";

/** A vhost in memory, with hands to change it behind the operator's back. */
export interface FakeVhost {
  /** Everything on it. */
  readonly objects: ReadonlyMap<string, BrokerObject>;
  /** Messages in queues; a queue that is not named has none. */
  readonly messages: Map<string, number>;
  /** Queues whose messages a consumer holds. */
  readonly unmovable: Set<string>;
  /** Calls so far, as `declare queue/q`. */
  readonly calls: string[];
  /** Set: every call fails with it. */
  failure: BrokerError | undefined;
  /** Set: imports are done only after it. */
  hold: Promise<void> | undefined;
  /** Set: looks at everything are answered only after it. */
  blind: Promise<void> | undefined;
  /** The next call whose text begins so fails with this. */
  failNext(call: string, failure: BrokerError): void;
  /** Changes it as somebody else would. */
  put(...objects: readonly BrokerObject[]): void;
  take(...identities: readonly string[]): void;
  wipe(): void;
  /** From now on a port takes this one and changes nothing; `put` makes it something else. */
  ignore(identity: string): void;
  /** A port to it; several may be open. */
  connect(options?: { readonly events?: boolean; readonly bulk?: boolean; readonly cluster?: string }): TopologyPort;
}

/** As RabbitMQ does it: redeclaring with other properties is refused, bindings need both ends, and go when one of them goes. */
export function createFakeVhost(): FakeVhost {
  const objects = new Map<string, BrokerObject>();
  const messages = new Map<string, number>();
  const unmovable = new Set<string>();
  const listeners = new Set<OnChange>();
  const ignored = new Set<string>();
  const calls: string[] = [];
  const planned: { readonly call: string; readonly failure: BrokerError }[] = [];

  const error = (failure: BrokerError["failure"], message: string) => new BrokerError(failure, "management", message);
  const tell: OnChange = (...change) => {
    for (const listener of listeners) listener(...change);
  };
  const exists = (target: Target): boolean =>
    objects.has(`${target.type}/${target.name}`) || (target.type === "exchange" && target.name === "");
  const declare = (object: BrokerObject): void => {
    const identity = identityOf(object);
    const there = objects.get(identity);
    if (there !== undefined && !isSetting(object) && !isDeepStrictEqual(there, object))
      throw error("differs", `inequivalent arg for ${identity}`);
    if (object.type === "binding") {
      for (const end of [targetOf(object), { type: "exchange", name: object.source } as const]) {
        if (!exists(end)) throw error("missing", `no ${end.type} '${end.name}' in vhost '/'`);
      }
    }
    objects.set(identity, structuredClone(object));
    if (isDeepStrictEqual(there, object)) return;
    if (isSetting(object)) tell(object.type);
    else tell(targetOf(object), "made");
  };
  const drop = (identity: string): void => {
    const object = objects.get(identity);
    if (object === undefined) return;
    objects.delete(identity);
    tell(targetOf(object));
    if (object.type === "binding") return;
    const leads = (binding: BrokerObject) =>
      binding.type === "binding" &&
      ((object.type === "exchange" && binding.source === object.name) ||
        (binding.destinationType === object.type && binding.destination === object.name));
    for (const [key, binding] of objects) if (leads(binding)) drop(key);
  };

  const vhost: FakeVhost = {
    objects,
    messages,
    unmovable,
    calls,
    failure: undefined,
    hold: undefined,
    blind: undefined,
    failNext: (call, failure) => void planned.push({ call, failure }),
    put: (...given) => given.forEach(declare),
    take: (...identities) => identities.forEach(drop),
    ignore: (identity) => void ignored.add(identity),
    wipe() {
      objects.clear();
      tell();
    },
    connect({ events = true, bulk = true, cluster = "one" } = {}) {
      const called = (call: string): void => {
        calls.push(call);
        if (vhost.failure !== undefined) throw vhost.failure;
        const index = planned.findIndex((one) => call.startsWith(one.call));
        const [plan] = index < 0 ? [] : planned.splice(index, 1);
        if (plan !== undefined) throw plan.failure;
      };
      const nodes = [{ name: "rabbit@one", running: true }];
      const facts: BrokerFacts = { version: "4.0.5", capabilities: bulk ? ["bulk"] : [], alarms: [], nodes, deprecated: [], cluster };
      return {
        async probe() {
          called("probe");
          return facts;
        },
        async observe(parts) {
          called(`observe${parts.length === 1 && parts[0] === "topology" ? "" : ` ${parts.join()}`}`);
          await vhost.blind;
          return { objects: [...objects.values()].filter((object) => parts.includes(partOf(targetOf(object)))) };
        },
        async read(target) {
          called(`read ${target.type}/${target.name}`);
          if (!exists(target)) return [];
          return [...objects.values()].filter((object) => isDeepStrictEqual(targetOf(object), { type: target.type, name: target.name }));
        },
        async declare(object) {
          called(`declare ${identityOf(object)}`);
          declare(ignored.has(identityOf(object)) && isSetting(object) ? { ...object, properties: {} } : object);
        },
        async messages(queue) {
          called(`messages ${queue}`);
          return messages.get(queue) ?? 0;
        },
        async figures() {
          called("figures");
          const queues = [...objects.values()].filter(({ type }) => type === "queue");
          return new Map(queues.map((queue) => [targetOf(queue).name, { ready: messages.get(targetOf(queue).name) ?? 0, unacked: 0 }]));
        },
        async move(from, to, limit) {
          called(`move ${from} ${to}`);
          const count = unmovable.has(from) ? 0 : Math.min(limit, messages.get(from) ?? 0);
          messages.set(from, (messages.get(from) ?? 0) - count);
          messages.set(to, (messages.get(to) ?? 0) + count);
          return count;
        },
        async remove(object, { ifEmpty = false, ifDrained = false } = {}) {
          called(`remove ${identityOf(object)}`);
          const count = object.type === "queue" ? (messages.get(object.name) ?? 0) : 0;
          const used = [...objects.values()].some((one) => one.type === "binding" && one.source === ("name" in object ? object.name : ""));
          if (ifEmpty && object.type === "exchange" && used) throw error("not-empty", `exchange '${object.name}' in vhost '/' in use`);
          if ((ifEmpty || ifDrained) && count > 0) throw error("not-empty", `queue has ${count} messages`);
          drop(identityOf(object));
        },
        async bulk(all) {
          called(`bulk ${all.length}`);
          await vhost.hold;
          for (const type of ["exchange", "queue", "binding"] as const) {
            for (const object of all) if (object.type === type && !objects.has(identityOf(object))) declare(object);
          }
        },
        async changes(onChange) {
          called("changes");
          if (!events) return "unsupported";
          listeners.add(onChange);
          return { [Symbol.asyncDispose]: async () => void listeners.delete(onChange) };
        },
        async [Symbol.asyncDispose]() {},
      };
    },
  };
  return vhost;
}
