import type { BrokerError, KubePort, Target } from "../adapters/ports.ts";
import { unlessAborted } from "../runtime/unless-aborted.ts";
import { apply, type OwnedOperation } from "./apply.ts";
import type { Claim } from "./claim.ts";
import { differ, inOrder, type Outcome, type Settled } from "./diff.ts";
import { targetKey } from "./identity.ts";
import type { Session } from "./link.ts";
import type { Member } from "./members.ts";
import { isOwned } from "./ownership.ts";
import { startOwning } from "./owning.ts";
import { areImportable, isUnread, operationsOf, sliceOf, type Unread } from "./slice.ts";
import type { Unproven } from "./unproven.ts";

/**
 * Declarations of one import where no owner is to be written down first. Each import looks at all queues that are there: 10,000 in hundreds take the
 * broker twice as long as in five hundreds.
 */
const BULK_OF_WRITTEN = 500;

export interface SyncInput {
  readonly session: Session;
  /** Objects that are not being deleted; those that somebody waits for first. */
  readonly members: readonly Member[];
  /** Claims to the same vhost that get no outcome here: of objects that are being deleted, and through other Broker objects. */
  readonly rivals: readonly Claim[];
  /** Whether the broker refused this one a moment ago: it is compared, but not tried. */
  readonly held: (member: Member) => boolean;
  readonly settled: Settled;
  /** More of them are added. They are not declared again before the next look. */
  readonly unread: Unread;
  /** Somebody waits for these: they come first, and are read back at once. */
  readonly urgent: (member: Member) => boolean;
  readonly unproven: Pick<Unproven, "owned">;
  readonly signal: AbortSignal;
  /** Another pass runs: the broker is asked about these members alone. */
  readonly beside: boolean;
}

export interface SyncResult {
  /** By the owner's uid, after reading back. */
  readonly outcomes: ReadonlyMap<string, Outcome>;
  readonly failures: ReadonlyMap<string, BrokerError>;
  /** What was done, by the owner's uid. */
  readonly done: ReadonlyMap<string, readonly OwnedOperation[]>;
  /** More is to be done right away. */
  readonly more: boolean;
  /** This was a slice: much is missing on the broker still. */
  readonly sliced: boolean;
}

/**
 * One pass: compare, write down what will be owned and change the broker as it is written, read back what was changed, compare again. Of very much only
 * a slice is done, and what was imported is read back with the last of them: the list of everything is too long for each.
 * Throws `BrokerError` when the broker is lost, `KubeError` when the API server is, the signal's reason when it aborts.
 */
export async function sync(kube: Pick<KubePort, "patch">, input: SyncInput): Promise<SyncResult> {
  const { session, members, rivals, held, settled, unread, urgent, unproven, signal, beside } = input;
  const { picture, port, facts } = session;
  const diff = differ(members.map(claimOf), rivals, settled);
  const before = diff(picture.actual);
  const free = (member: Member): boolean => !isUnread(unread, member) && !held(member);
  const slice = sliceOf(members, { outcomes: before, actual: picture.actual, free, urgent });
  const inTurn = inOrder(slice.members.flatMap(({ claim }) => operationsOf(claim, before))).flat();
  const owning = startOwning(kube, inTurnOf(slice.members, inTurn), before, { unproven, signal });
  const bulk = facts.capabilities.includes("bulk");
  const bulkUpTo = slice.members.every(({ object, digests }) => isOwned(object, digests)) ? BULK_OF_WRITTEN : undefined;
  const [owned, failures] = await both(owning.all, apply(port, inTurn, bulk, { bulkUpTo, mayChange: (uid) => owning.of(uid), signal }));
  const more = slice.more || owned.length < slice.members.length;
  const operations = owned.flatMap(({ claim }) => operationsOf(claim, before));
  const done = Map.groupBy(operations, ({ uid }) => uid);
  // What earlier slices declared is still to be read back when there is nothing left to declare.
  if (operations.length === 0) return { outcomes: before, failures: new Map(), done, more, sliced: slice.more };
  const later = (member: Member): boolean =>
    slice.more && !urgent(member) && !failures.has(member.claim.owner.uid) && areImportable(operationsOf(member.claim, before));
  const [unseen, seen] = [owned.filter(later), owned.filter((member) => !later(member))];
  for (const { claim, object } of unseen) unread.set(claim.owner.uid, object.metadata.generation);
  const changed = [...targetsOf(seen)];
  if (beside || slice.more) await unlessAborted(signal, picture.look(changed));
  else {
    for (const target of changed) picture.doubt(target);
    await unlessAborted(signal, picture.refresh());
  }
  // By the list, however few: only a look at everything ends that they are unread.
  if (unseen.length > 0) picture.doubt("topology");
  // Of a slice only what it changed can be another now.
  const outcomes = slice.more ? new Map([...before, ...diff(picture.actual, seen.map(claimOf))]) : diff(picture.actual);
  return { outcomes, failures, done, more, sliced: slice.more };
}

const claimOf = ({ claim }: Member): Claim => claim;

/** Those whose operations come first, first: the broker need not wait for the others. */
function inTurnOf(members: readonly Member[], operations: readonly OwnedOperation[]): readonly Member[] {
  const turns = new Map<string, number>();
  for (const [turn, { uid }] of operations.entries()) if (!turns.has(uid)) turns.set(uid, turn);
  const turnOf = ({ claim }: Member): number => turns.get(claim.owner.uid) ?? operations.length;
  return members.toSorted((one, other) => turnOf(one) - turnOf(other));
}

/** Both results; rejects with the first error, after both have ended. */
async function both<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([first, second]);
  return Promise.all([first, second]);
}

function targetsOf(members: readonly Member[]): Iterable<Target> {
  return new Map(members.flatMap(({ claim: { targets } }) => targets.map((target) => [targetKey(target), target] as const))).values();
}
