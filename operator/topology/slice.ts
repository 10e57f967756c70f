import { isSetting } from "../adapters/ports.ts";
import type { OwnedOperation } from "./apply.ts";
import type { Claim } from "./claim.ts";
import { type Actual, endsOf, type Operation, type Outcome, operationsIn, rankOf } from "./diff.ts";
import { targetKey, targetOf } from "./identity.ts";
import type { Member } from "./members.ts";
import { isOwned } from "./ownership.ts";
import { isSettled } from "./owning.ts";

/** What one pass does, by what it costs: what changes meanwhile waits no longer than that takes, about a second. An operation costs one. */
const SLICE = 1_250;
/** What it costs to write down first who owns it. */
const WRITE = 4;
/** The turn of those that are there already: after all that is missing. */
const ADOPTED = 1_000;

/**
 * Members that were declared since everything was looked at last, by uid, with their generation: what is written into an object as it is declared
 * makes it no other one.
 */
export type Unread = Map<string, number | undefined>;

export const isUnread = (unread: Unread, { claim: { owner }, object }: Member): boolean =>
  unread.has(owner.uid) && unread.get(owner.uid) === object.metadata.generation;

export interface Slice {
  readonly members: readonly Member[];
  readonly more: boolean;
}

interface Standing {
  readonly outcomes: ReadonlyMap<string, Outcome>;
  readonly actual: Actual;
  /** Whether something may be done for this one now. */
  readonly free: (member: Member) => boolean;
  /** Somebody waits for these: they come first. */
  readonly urgent: (member: Member) => boolean;
}

interface Wanting {
  readonly member: Member;
  readonly operations: readonly Operation[];
  readonly rank: number;
  readonly cost: number;
}

const compare = (one: string, other: string): number => (one === other ? 0 : one < other ? -1 : 1);

/** Of one kind the newest first: whoever made it just now waits for it, and thousands are no burden to those of long ago. */
const byTurn = (one: Wanting, other: Wanting): number =>
  one.rank - other.rank || compare(other.member.claim.owner.createdAt, one.member.claim.owner.createdAt);

/** What is to be done for a claim. */
export const operationsOf = ({ owner: { uid } }: Claim, outcomes: ReadonlyMap<string, Outcome>): readonly OwnedOperation[] =>
  operationsIn(outcomes.get(uid)).map((one) => ({ ...one, uid }));

/** undefined: nothing is to be done for it. */
function wantingOf(member: Member, { outcomes, free, urgent }: Standing): Wanting | undefined {
  const outcome = outcomes.get(member.claim.owner.uid);
  const operations = operationsIn(outcome);
  const adopted = outcome?.state === "in-sync" && !isSettled(member);
  if ((operations.length === 0 && !adopted) || !free(member)) return undefined;
  const cost = operations.length + (isOwned(member.object, member.digests) && !adopted ? 0 : WRITE);
  return { member, operations, cost, rank: urgent(member) ? -1 : operations.reduce((rank, one) => Math.min(rank, rankOf(one)), ADOPTED) };
}

/**
 * The members that something is done for next; whole members only, for an object is ready as a whole. In the order in which one thing needs another;
 * a binding waits for both its ends, unless nothing else is left to do.
 */
export function sliceOf(members: readonly Member[], standing: Standing): Slice {
  const { actual } = standing;
  const wanting = members.map((member) => wantingOf(member, standing)).filter((one) => one !== undefined);
  if (wanting.reduce((sum, { cost }) => sum + cost, 0) <= SLICE) {
    return { members: wanting.map(({ member }) => member), more: false };
  }
  const coming = new Set<string>();
  const chosen: Member[] = [];
  const waiting: Member[] = [];
  let costs = 0;
  for (const { member, operations, cost } of wanting.toSorted(byTurn)) {
    if (costs >= SLICE) return { members: chosen, more: true };
    const own = operations.filter(({ op, object }) => op === "declare" && object.type !== "binding");
    const made = own.map(({ object }) => targetKey(targetOf(object)));
    const ends = operations.flatMap(({ op, object }) => (op === "declare" ? endsOf(object).map(targetKey) : []));
    if (!ends.every((end) => end === "exchange/" || actual.has(end) || coming.has(end) || made.includes(end))) {
      waiting.push(member);
      continue;
    }
    for (const key of made) coming.add(key);
    chosen.push(member);
    costs += cost;
  }
  return { members: [...chosen, ...waiting], more: false };
}

/** Whether the broker takes all of these at once, and a look at everything shows them later as well as now. */
export const areImportable = (operations: readonly OwnedOperation[]): boolean =>
  operations.every(({ op, object }) => op === "declare" && !isSetting(object));
