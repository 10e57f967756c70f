import { isDeepStrictEqual } from "node:util";
import type { Resource } from "../adapters/ports.ts";
import type { SecretValues, TopologyKind, TopologyObject } from "../kinds/topology-kind.ts";
import type { Cache } from "../runtime/cache/cache.ts";
import { hasFinalizer, isProtected } from "../runtime/finalizer.ts";
import type { ObjectKey } from "../runtime/object.ts";
import type { ConditionInput } from "../runtime/truth/conditions.ts";
import { type Claim, claimTo } from "./claim.ts";
import { canonical, digestOf } from "./identity.ts";
import type { Materials } from "./materials.ts";
import { bindingDigests, ownedOf } from "./ownership.ts";
import { refusal } from "./say.ts";
import { wasReady } from "./situation.ts";
import { unsayableIn } from "./unsayable.ts";
import { type Needs, versionNeeded } from "./versions.ts";

/** An object that wants something of a broker. */
export interface Member {
  /** `Queue/namespace/name`. */
  readonly id: string;
  readonly resource: Resource;
  readonly object: TopologyObject;
  readonly claim: Claim;
  /** Of the bindings that it wants, where it may want others later. */
  readonly digests: ReadonlySet<string>;
  /** Changes with the values of Secrets that the claim was made of; absent where there are none. */
  readonly revision?: string;
  /** A Secret that it needs is not as it must be, or it says what no broker can be told: nothing is done for it. */
  readonly lacking?: ConditionInput;
  /** An older broker would ignore part of it. */
  readonly needs?: Needs;
}

/** A kind's objects, as the API server has them. */
export interface TopologyCache {
  readonly kind: TopologyKind;
  readonly cache: Cache<TopologyObject>;
}

/** All members, by the Broker object that they refer to. */
export interface Members extends Disposable {
  of(broker: ObjectKey): readonly Member[];
  get(broker: ObjectKey, id: string): Member | undefined;
  brokers(): readonly ObjectKey[];
}

/**
 * Keeps the members as the caches tell; calls back with each change. A change of `brokerRef` cannot happen: the field is immutable.
 * @param isEcho whether the status is what was written last: then nobody has to look at the object because of it
 */
export function createMembers(
  caches: readonly TopologyCache[],
  materials: Materials,
  onChange: (broker: ObjectKey, id: string) => void,
  isEcho: (object: TopologyObject) => boolean,
): Members {
  const byBroker = new Map<ObjectKey, Map<string, Member>>();
  using stack = new DisposableStack();

  const put = (broker: ObjectKey, member: Member): void => {
    const members = byBroker.get(broker) ?? new Map<string, Member>();
    byBroker.set(broker, members.set(member.id, member));
    onChange(broker, member.id);
  };
  const drop = (broker: ObjectKey, id: string): void => {
    const members = byBroker.get(broker);
    members?.delete(id);
    if (members?.size === 0) byBroker.delete(broker);
    materials.forget(id);
    onChange(broker, id);
  };
  const follow = ({ kind, cache }: TopologyCache): void => {
    const { resource } = cache;
    stack.use(
      cache.subscribe(({ object, previous }) => {
        const told = object ?? previous;
        if (told === undefined) return;
        const { metadata, spec } = told;
        const broker = `${spec.brokerRef.namespace ?? metadata.namespace ?? ""}/${spec.brokerRef.name}`;
        const id = `${resource.kind}/${metadata.namespace ?? ""}/${metadata.name}`;
        if (object === undefined) return drop(broker, id);
        const known = byBroker.get(broker)?.get(id);
        if (known !== undefined && previous !== undefined && wantsTheSame(kind, object, previous)) {
          byBroker.get(broker)?.set(id, { ...known, object });
          const told = isDeepStrictEqual(object.status, previous.status) || isEcho(object);
          return told ? undefined : onChange(broker, id);
        }
        const member = (values: SecretValues): Member => memberOf(id, kind, resource, object, values);
        const needs = kind.needs(object);
        if (needs.length === 0) return put(broker, member(new Map()));
        materials.follow(id, object, needs, (found) => {
          const known = "values" in found ? found.values : new Map<string, string>();
          const revision = digestOf(canonical([...known]));
          put(broker, { ...member(known), revision, ...("values" in found ? {} : { lacking: found.lacking }) });
        });
      }),
    );
  };
  caches.forEach(follow);

  const owned = stack.move();
  return {
    get: (broker, id) => byBroker.get(broker)?.get(id),
    of: (broker) => [...(byBroker.get(broker)?.values() ?? [])],
    brokers: () => [...byBroker.keys()],
    [Symbol.dispose]: () => owned.dispose(),
  };
}

/** Whether nothing differs but the status, and our own finalizers, which whoever wrote it knows of. */
function wantsTheSame(kind: TopologyKind, object: TopologyObject, previous: TopologyObject): boolean {
  const [one, other] = [object.metadata, previous.metadata];
  const same = one.uid === other.uid && one.generation === other.generation && one.deletionTimestamp === other.deletionTimestamp;
  const kept = (hasFinalizer(object) || !hasFinalizer(previous)) && (isProtected(object) || !isProtected(previous));
  return same && kept && isDeepStrictEqual(one.annotations, other.annotations) && kind.needs(object).length === 0 && !kind.ends(object);
}

function memberOf(
  id: string,
  { kind, desired, ends, fixed }: TopologyKind,
  resource: Resource,
  object: TopologyObject,
  values: SecretValues,
): Member {
  const { namespace = "", name, uid = "", creationTimestamp = "" } = object.metadata;
  const objects = desired(object, values);
  const owner = { kind: kind.kind, namespace, name, uid, createdAt: creationTimestamp };
  const claim = { ...claimTo(owner, objects, ownedOf(object)), mayEnd: ends(object) && wasReady(object) };
  const needs = versionNeeded(objects);
  const unsayable = unsayableIn(object, objects);
  return {
    id,
    resource,
    object,
    claim,
    digests: bindingDigests(fixed ? [] : objects),
    ...(needs === undefined ? {} : { needs }),
    ...(unsayable === undefined ? {} : { lacking: refusal("InvalidSpec", unsayable) }),
  };
}
