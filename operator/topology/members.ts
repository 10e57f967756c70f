import type { BrokerObject, Resource } from "../adapters/ports.ts";
import { desiredExchange } from "../kinds/exchange/desired.ts";
import type { Exchange } from "../kinds/exchange/schema.ts";
import { desiredQueue } from "../kinds/queue/desired.ts";
import type { Queue } from "../kinds/queue/schema.ts";
import type { Cache } from "../runtime/cache/cache.ts";
import type { ObjectKey } from "../runtime/object.ts";
import type { Claim } from "./diff.ts";
import { targetOf } from "./identity.ts";
import { bindingDigests, ownedOf } from "./ownership.ts";

export type TopologyObject = Queue | Exchange;

/** An object that wants something of a broker. */
export interface Member {
  /** `Queue/namespace/name`. */
  readonly id: string;
  readonly resource: Resource;
  readonly object: TopologyObject;
  readonly claim: Claim;
  /** Of the bindings that it wants. */
  readonly digests: ReadonlySet<string>;
}

export interface TopologyCaches {
  readonly exchanges: Cache<Exchange>;
  readonly queues: Cache<Queue>;
}

/** All members, by the Broker object that they refer to. */
export interface Members extends Disposable {
  of(broker: ObjectKey): readonly Member[];
  brokers(): readonly ObjectKey[];
}

/** Keeps the members as the caches tell; calls back with each change. A change of `brokerRef` cannot happen: the field is immutable. */
export function createMembers(caches: TopologyCaches, onChange: (broker: ObjectKey, id: string) => void): Members {
  const byBroker = new Map<ObjectKey, Map<string, Member>>();
  using stack = new DisposableStack();

  const follow = <T extends TopologyObject>(cache: Cache<T>, desired: (object: T) => readonly BrokerObject[]): void => {
    const { resource } = cache;
    stack.use(
      cache.subscribe(({ object, previous }) => {
        const told = object ?? previous;
        if (told === undefined) return;
        const { metadata, spec } = told;
        const broker = `${metadata.namespace ?? ""}/${spec.brokerRef.name}`;
        const id = `${resource.kind}/${metadata.namespace ?? ""}/${metadata.name}`;
        const members = byBroker.get(broker) ?? new Map<string, Member>();
        byBroker.set(broker, members);
        if (object === undefined) members.delete(id);
        else {
          const objects = desired(object);
          const claim = claimOf(resource.kind, object, objects);
          members.set(id, { id, resource, object, claim, digests: bindingDigests(objects) });
        }
        if (members.size === 0) byBroker.delete(broker);
        onChange(broker, id);
      }),
    );
  };
  follow(caches.exchanges, desiredExchange);
  follow(caches.queues, desiredQueue);

  const owned = stack.move();
  return {
    of: (broker) => [...(byBroker.get(broker)?.values() ?? [])],
    brokers: () => [...byBroker.keys()],
    [Symbol.dispose]: () => owned.dispose(),
  };
}

function claimOf(kind: string, object: TopologyObject, objects: readonly BrokerObject[]): Claim {
  const { namespace = "", name, uid = "", creationTimestamp = "" } = object.metadata;
  const [first] = objects;
  if (first === undefined) throw new TypeError(`${kind} ${namespace}/${name} wants nothing`);
  return {
    owner: { kind, namespace, name, uid, createdAt: creationTimestamp },
    target: targetOf(first),
    objects,
    owned: ownedOf(object),
  };
}
