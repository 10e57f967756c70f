import type { BrokerObject, Target } from "../adapters/ports.ts";
import { type Difference, differences } from "./compare.ts";
import { digestOf, identityOf, targetKey } from "./identity.ts";

/** Who wants something: a Kubernetes object. */
export interface Owner {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** RFC 3339. */
  readonly createdAt: string;
}

/** What one object wants on the broker: its target, and the bindings into it. */
export interface Claim {
  readonly owner: Owner;
  readonly target: Target;
  /** The target first. */
  readonly objects: readonly BrokerObject[];
  /** Digests of the bindings that this owner has put on the broker before: what is not wanted any more goes. */
  readonly owned: ReadonlySet<string>;
}

/** What the broker has: by target key, the target when it is there and the bindings that lead into it. */
export type Actual = ReadonlyMap<string, readonly BrokerObject[]>;

export interface Operation {
  readonly op: "declare" | "remove";
  readonly object: BrokerObject;
}

/**
 * changing: the operations bring it in line. blocked: as changing, but a binding's source is missing and nobody wants to declare it.
 * differs: it exists with properties that cannot be changed, and is left alone with all its bindings. conflict: an older owner wants the same.
 */
export type Outcome =
  | { readonly state: "in-sync" }
  | { readonly state: "changing"; readonly operations: readonly Operation[] }
  | { readonly state: "blocked"; readonly operations: readonly Operation[]; readonly missing: readonly string[] }
  | { readonly state: "differs"; readonly differences: readonly Difference[] }
  | { readonly state: "conflict"; readonly winner: Owner };

/**
 * What to do for every claim, by the owner's uid. What no claim names is never touched: foreign queues, exchanges, and bindings that
 * somebody else put on a target of ours. Of several claims to one target the oldest wins, whichever Broker object it came through.
 * @param rivals claims that reach the same vhost by another Broker object; they win and lose, but get no outcome
 */
export function diff(claims: readonly Claim[], rivals: readonly Claim[], actual: Actual): ReadonlyMap<string, Outcome> {
  const winners = winnersOf([...claims, ...rivals]);
  const coming = new Set([...winners.values()].filter(({ target }) => target.type === "exchange").map(({ target }) => target.name));
  const exists = (exchange: string) =>
    exchange === "" || coming.has(exchange) || actual.get(`exchange/${exchange}`)?.some(isExchange) === true;
  return new Map(
    claims.map((claim) => {
      const winner = winners.get(targetKey(claim.target));
      const won = winner === undefined || winner.owner.uid === claim.owner.uid;
      return [claim.owner.uid, won ? outcomeOf(claim, actual, exists) : { state: "conflict", winner: winner.owner }];
    }),
  );
}

const isExchange = ({ type }: BrokerObject): boolean => type === "exchange";

/** The oldest claim to each target; of the same second, the one whose name comes first. */
export function winnersOf(claims: readonly Claim[]): ReadonlyMap<string, Claim> {
  const winners = new Map<string, Claim>();
  for (const claim of claims) {
    const key = targetKey(claim.target);
    const other = winners.get(key);
    if (other === undefined || seniority(claim) < seniority(other)) winners.set(key, claim);
  }
  return winners;
}

const seniority = ({ owner: { createdAt, namespace, name, kind } }: Claim): string => [createdAt, namespace, name, kind].join(" ");

function outcomeOf({ target, objects, owned }: Claim, actual: Actual, exists: (exchange: string) => boolean): Outcome {
  const found = new Map((actual.get(targetKey(target)) ?? []).map((object) => [identityOf(object), object]));
  const wanted = new Map(objects.map((object) => [identityOf(object), object]));
  const differing = [...wanted].flatMap(([identity, object]) => {
    const there = found.get(identity);
    return there === undefined ? [] : differences(object, there);
  });
  if (differing.length > 0) return { state: "differs", differences: differing };
  const absent = [...wanted].filter(([identity]) => !found.has(identity)).map(([, object]) => object);
  const missing = absent.flatMap((object) => (object.type === "binding" && !exists(object.source) ? [object.source] : []));
  const declares = absent
    .filter((object) => object.type !== "binding" || exists(object.source))
    .map((object): Operation => ({ op: "declare", object }));
  const removes = [...found]
    .filter(([identity, { type }]) => type === "binding" && !wanted.has(identity) && owned.has(digestOf(identity)))
    .map(([, object]): Operation => ({ op: "remove", object }));
  const operations = [...declares, ...removes];
  if (missing.length > 0) return { state: "blocked", operations, missing: [...new Set(missing)] };
  return operations.length > 0 ? { state: "changing", operations } : { state: "in-sync" };
}

/** What must be there before what, and new bindings before old ones go, so that no message falls between them. */
const RANKS: readonly (readonly [Operation["op"], BrokerObject["type"]])[] = [
  ["declare", "exchange"],
  ["declare", "queue"],
  ["declare", "binding"],
  ["remove", "binding"],
  ["remove", "queue"],
  ["remove", "exchange"],
];

/** Operations in groups: those of one group may run side by side, the groups one after the other. Empty groups are left out. */
export function inOrder<T extends Operation>(operations: readonly T[]): readonly (readonly T[])[] {
  return RANKS.map(([op, type]) => operations.filter((one) => one.op === op && one.object.type === type)).filter(
    (group) => group.length > 0,
  );
}
