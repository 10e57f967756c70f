import type { BrokerObject, Target } from "../adapters/ports.ts";
import { identityOf, targetKey, targetOf } from "./identity.ts";

/** Who wants something: a Kubernetes object. */
export interface Owner {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** RFC 3339. */
  readonly createdAt: string;
}

/** What one object wants on the broker. */
export interface Claim {
  readonly owner: Owner;
  /** By identity; the one that the object stands for first. */
  readonly wanted: ReadonlyMap<string, BrokerObject>;
  /** Where to look for all that it wants. */
  readonly targets: readonly Target[];
  /** The keys of the targets, in their order. */
  readonly places: readonly string[];
  /** Identities that only one may claim: everything but bindings, and bindings where there is nothing else. */
  readonly keys: readonly string[];
  /** Digests of the bindings that this owner has put on the broker before: what is not wanted any more goes. */
  readonly owned: ReadonlySet<string>;
  /** It was there, and goes by itself when its work is done: when it is absent now, it is done. */
  readonly mayEnd?: boolean;
}

/** The claim to these objects; the same one said twice is one. Throws `TypeError` when there are none. */
export function claimTo(owner: Owner, objects: readonly BrokerObject[], owned: ReadonlySet<string>): Claim {
  if (objects.length === 0) throw new TypeError(`${owner.kind} ${owner.namespace}/${owner.name} wants nothing`);
  const wanted = new Map(objects.map((object) => [identityOf(object), object]));
  const things = [...wanted].filter(([, { type }]) => type !== "binding").map(([identity]) => identity);
  const targets = new Map(objects.map(targetOf).map((target) => [targetKey(target), target]));
  return {
    owner,
    wanted,
    targets: [...targets.values()],
    places: [...targets.keys()],
    keys: things.length > 0 ? things : [...wanted.keys()],
    owned,
  };
}

/** What stands for its owner, and goes with it: all but bindings, which go with their ends; where it is bindings alone, those. */
export const thingsOf = ({ keys, wanted }: Claim): readonly BrokerObject[] => keys.flatMap((key) => wanted.get(key) ?? []);

/** The oldest claim to each key; of the same second, the one whose name comes first. */
export function winnersOf(claims: readonly Claim[]): ReadonlyMap<string, Claim> {
  const winners = new Map<string, Claim>();
  for (const claim of claims) {
    for (const key of claim.keys) {
      const other = winners.get(key);
      if (other === undefined || (other !== claim && seniority(claim) < seniority(other))) winners.set(key, claim);
    }
  }
  return winners;
}

const seniority = ({ owner: { createdAt, namespace, name, kind } }: Claim): string => [createdAt, namespace, name, kind].join(" ");

/** Finds, of many claims, those that the answer for a few may depend on: they want the same, or have what these lead from or into. */
export function concernsOf(many: readonly Claim[]): (few: readonly Claim[]) => readonly Claim[] {
  const index = new Map<string, Claim[]>();
  for (const claim of many) {
    for (const key of [...claim.keys, ...claim.places]) {
      const known = index.get(key);
      if (known === undefined) index.set(key, [claim]);
      else known.push(claim);
    }
  }
  return (few) => {
    const keys = few.flatMap(({ wanted, keys: own, places }) => [...own, ...places, ...[...wanted.values()].flatMap(sourceOf)]);
    return [...new Set(keys.flatMap((key) => index.get(key) ?? []))];
  };
}

const sourceOf = (object: BrokerObject): readonly string[] =>
  object.type === "binding" ? [targetKey({ type: "exchange", name: object.source })] : [];

/** Who has something that this claim wants, too, and is older. */
export function seniorOf(
  { owner, keys }: Claim,
  winners: ReadonlyMap<string, Claim>,
): { readonly key: string; readonly claim: Claim } | undefined {
  for (const key of keys) {
    const claim = winners.get(key);
    if (claim !== undefined && claim.owner.uid !== owner.uid) return { key, claim };
  }
  return undefined;
}
