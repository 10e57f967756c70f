import { type BrokerObject, isSetting, SETTING_TYPES, type Target } from "../adapters/ports.ts";
import { type Claim, type Owner, seniorOf, winnersOf } from "./claim.ts";
import { type Difference, differences } from "./compare.ts";
import { digestOf, identityOf, targetKey, targetOf } from "./identity.ts";

/** What the broker has: by target key, the target when it is there and the bindings that lead into it. */
export type Actual = ReadonlyMap<string, readonly BrokerObject[]>;

export interface Operation {
  readonly op: "declare" | "remove";
  readonly object: BrokerObject;
}

/**
 * changing: the operations bring it in line. blocked: as changing, but an end of a binding is missing and nobody wants to declare it.
 * differs: it exists with properties that cannot be changed, and is left alone with all its bindings. conflict: an older owner wants the same.
 */
export type Outcome =
  | { readonly state: "in-sync" }
  | { readonly state: "changing"; readonly operations: readonly Operation[] }
  | { readonly state: "blocked"; readonly operations: readonly Operation[]; readonly missing: readonly Target[] }
  | { readonly state: "differs"; readonly object: BrokerObject; readonly differences: readonly Difference[] }
  | { readonly state: "conflict"; readonly winner: Owner; readonly object: BrokerObject };

/** Claims that were compared, with what was there then: by place, in the claim's order. Where that is there still, the outcome is the same. */
export type Settled = WeakMap<Claim, { readonly there: readonly (readonly BrokerObject[] | undefined)[]; readonly outcome: Outcome }>;

const IN_SYNC: Outcome = { state: "in-sync" };
const NOTHING: readonly Operation[] = [];

/** What to do for these claims, or for every claim, by the owner's uid, where the broker has this. */
export type Diff = (actual: Actual, of?: readonly Claim[]) => ReadonlyMap<string, Outcome>;

/**
 * Compares claims with what the broker has. What no claim names is never touched: foreign queues, exchanges, settings, and bindings that
 * somebody else put on a target of ours. Of several claims to one thing the oldest wins, whichever Broker object it came through; that is found out once.
 * @param rivals claims that reach the same vhost by another Broker object; they win and lose, but get no outcome
 * @param settled remembers what need not be compared again; never changes the answer
 */
export function differ(claims: readonly Claim[], rivals: readonly Claim[], settled: Settled = new WeakMap()): Diff {
  const all = [...claims, ...rivals];
  const winners = winnersOf(all);
  return (actual, of = claims) => outcomesOf(of, { all, winners, actual, settled });
}

interface Comparing {
  readonly all: readonly Claim[];
  readonly winners: ReadonlyMap<string, Claim>;
  readonly actual: Actual;
  readonly settled: Settled;
}

function outcomesOf(claims: readonly Claim[], { all, winners, actual, settled }: Comparing): ReadonlyMap<string, Outcome> {
  const exists = (end: Target): boolean => {
    const key = targetKey(end);
    return key === "exchange/" || winners.has(key) || actual.get(key)?.some(({ type }) => type === end.type) === true;
  };
  // Needed only when a binding is to go: a pass over much that is in sync does not pay for it.
  let bindings: ReadonlySet<string> | undefined;
  const wanted = (binding: string): boolean => {
    bindings ??= new Set(
      all
        .filter((claim) => seniorOf(claim, winners) === undefined)
        .flatMap((claim) => [...claim.wanted.keys()].filter((identity) => identity.startsWith("binding/"))),
    );
    return bindings.has(binding);
  };
  const standing = (claim: Claim): Outcome => {
    const before = settled.get(claim);
    if (before !== undefined && claim.places.every((place, index) => actual.get(place) === before.there[index])) return before.outcome;
    const outcome = outcomeOf(claim, actual, { exists, wanted });
    if (outcome === IN_SYNC || isAlone(claim)) settled.set(claim, { there: claim.places.map((place) => actual.get(place)), outcome });
    return outcome;
  };
  const outcomes = new Map<string, Outcome>();
  for (const claim of claims) {
    const senior = seniorOf(claim, winners);
    const object = senior === undefined ? undefined : claim.wanted.get(senior.key);
    const lost = senior !== undefined && object !== undefined;
    outcomes.set(claim.owner.uid, lost ? { state: "conflict", winner: senior.claim.owner, object } : standing(claim));
  }
  return outcomes;
}

/** Whether what is done for it never depends on others: it wants no bindings, and had none. */
const isAlone = ({ owned, wanted }: Claim): boolean => owned.size === 0 && wanted.values().every(({ type }) => type !== "binding");

interface Others {
  /** Whether the end of a binding is there, or will be. */
  readonly exists: (end: Target) => boolean;
  /** Whether anybody wants this binding. */
  readonly wanted: (binding: string) => boolean;
}

function outcomeOf({ places, wanted, owned, mayEnd = false }: Claim, actual: Actual, others: Others): Outcome {
  const found = new Map<string, BrokerObject>();
  for (const place of places) for (const object of actual.get(place) ?? []) found.set(identityOf(object), object);
  const operations: Operation[] = [];
  const missing = new Map<string, Target>();
  for (const [identity, object] of wanted) {
    const there = found.get(identity);
    const differing = there === undefined ? [] : differences(object, there);
    if (differing.length > 0 && !isSetting(object)) return { state: "differs", object, differences: differing };
    if (there === undefined ? mayEnd : differing.length === 0) continue;
    const lacking = endsOf(object).filter((end) => !others.exists(end));
    for (const end of lacking) missing.set(targetKey(end), end);
    if (lacking.length === 0) operations.push({ op: "declare", object });
  }
  let shared = false;
  if (owned.size > 0) {
    for (const [identity, object] of found) {
      const old = object.type === "binding" && !wanted.has(identity) && owned.has(digestOf(identity));
      if (!old) continue;
      if (others.wanted(identity)) shared = true;
      else operations.push({ op: "remove", object });
    }
  }
  if (missing.size > 0) return { state: "blocked", operations, missing: [...missing.values()] };
  if (operations.length > 0) return { state: "changing", operations };
  // What it shares has to go as soon as nobody else wants it: that is not seen by looking at the same place.
  return shared ? { state: "in-sync" } : IN_SYNC;
}

/** The operations of an outcome; none where nothing is to be done, or may be. */
export const operationsIn = (outcome: Outcome | undefined): readonly Operation[] =>
  outcome !== undefined && "operations" in outcome ? outcome.operations : NOTHING;

/** What the broker has of this thing, whatever its properties; undefined where it is not there. */
export const thereOf = (actual: Actual, object: BrokerObject): BrokerObject | undefined => {
  const identity = identityOf(object);
  return actual.get(targetKey(targetOf(object)))?.find((found) => identityOf(found) === identity);
};

/** What must be there for an object to be declared. */
export const endsOf = (object: BrokerObject): readonly Target[] =>
  object.type === "binding" ? [{ type: "exchange", name: object.source }, targetOf(object)] : [];

/** What must be there before what, and new bindings before old ones go, so that no message falls between them. */
const ORDER: readonly BrokerObject["type"][] = [
  ...SETTING_TYPES.slice(0, SETTING_TYPES.indexOf("policy")),
  "exchange",
  "queue",
  "binding",
  ...SETTING_TYPES.slice(SETTING_TYPES.indexOf("policy")),
];
const RANKS: readonly (readonly [Operation["op"], BrokerObject["type"]])[] = [
  ...ORDER.map((type) => ["declare", type] as const),
  ...ORDER.toReversed().map((type) => ["remove", type] as const),
];

const RANK_OF: ReadonlyMap<string, number> = new Map(RANKS.map(([op, type], rank) => [`${op} ${type}`, rank]));

/** The turn of an operation: what has a lower one comes first. */
export const rankOf = ({ op, object }: Operation): number => RANK_OF.get(`${op} ${object.type}`) ?? RANKS.length;

/** Operations in groups: those of one group may run side by side, the groups one after the other. Empty groups are left out. */
export function inOrder<T extends Operation>(operations: readonly T[]): readonly (readonly T[])[] {
  const groups = Map.groupBy(operations, ({ op, object }) => `${op} ${object.type}`);
  return RANKS.flatMap(([op, type]) => {
    const group = groups.get(`${op} ${type}`);
    return group === undefined ? [] : [group];
  });
}
