import type { BrokerError, KubePort, Target } from "../adapters/ports.ts";
import { inParallel } from "../runtime/in-parallel.ts";
import { isKubeError } from "../runtime/kube-error.ts";
import { apply, type OwnedOperation } from "./apply.ts";
import type { Claim } from "./claim.ts";
import { diff, type Outcome, type Settled } from "./diff.ts";
import { targetKey } from "./identity.ts";
import type { Session } from "./link.ts";
import type { Member } from "./members.ts";
import { isOwned, writeOwned } from "./ownership.ts";

/**
 * Operations of one pass. A new object does not wait for them, for it is done beside them; a change of an old one does. So many, because the broker
 * comes first: while thousands are missing on it, writing to each that it is Ready now would keep the rest waiting.
 */
const BATCH = 40_000;
/** More are no faster with an API server on two cores, and each takes longer: a new object would wait behind them. */
const PARALLEL_WRITES = 8;

export interface SyncInput {
  readonly session: Session;
  /** Objects that are not being deleted; those that somebody waits for first. */
  readonly members: readonly Member[];
  /** Claims to the same vhost that get no outcome here: of objects that are being deleted, and through other Broker objects. */
  readonly rivals: readonly Claim[];
  /** Whether the broker refused this one a moment ago: it is compared, but not tried. */
  readonly held: (member: Member) => boolean;
  readonly settled: Settled;
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
}

/**
 * One pass: compare, write down what will be owned, change the broker, read back what was changed, compare again.
 * Throws `BrokerError` when the broker is lost, `KubeError` when the API server is.
 */
export async function sync(kube: Pick<KubePort, "patch">, input: SyncInput): Promise<SyncResult> {
  const { session, members, rivals, held, settled, beside } = input;
  const { picture, port, facts } = session;
  const compare = () => diff(members.map(claimOf), rivals, picture.actual, settled);
  const before = compare();
  const { batch, more } = firstOf(
    members.filter((member) => !held(member)),
    before,
  );
  const owned = await own(kube, batch, before);
  const operations = owned.flatMap(({ claim }) => operationsOf(claim, before));
  if (operations.length === 0) return { outcomes: before, failures: new Map(), done: new Map(), more: more || owned.length < batch.length };
  const failures = await apply(port, operations, facts.capabilities.includes("bulk"));
  const changed = [...targetsOf(owned)];
  if (beside) await picture.look(changed);
  else {
    for (const target of changed) picture.doubt(target);
    await picture.refresh();
  }
  return { outcomes: compare(), failures, done: Map.groupBy(operations, ({ uid }) => uid), more: more || owned.length < batch.length };
}

const claimOf = ({ claim }: Member): Claim => claim;

const operationsOf = ({ owner: { uid } }: Claim, outcomes: ReadonlyMap<string, Outcome>): readonly OwnedOperation[] => {
  const outcome = outcomes.get(uid);
  return outcome?.state === "changing" || outcome?.state === "blocked" ? outcome.operations.map((one) => ({ ...one, uid })) : [];
};

/** The members that need something, up to a batch; whole members only, for an object is ready as a whole. */
function firstOf(members: readonly Member[], outcomes: ReadonlyMap<string, Outcome>): { batch: readonly Member[]; more: boolean } {
  const batch: Member[] = [];
  let operations = 0;
  for (const member of members) {
    const outcome = outcomes.get(member.claim.owner.uid);
    const count = operationsOf(member.claim, outcomes).length;
    const adopted = outcome?.state === "in-sync" && !isSettled(member);
    if (count === 0 && !adopted) continue;
    if (operations >= BATCH) return { batch, more: true };
    batch.push(member);
    operations += count + 1;
  }
  return { batch, more: false };
}

/** Whether the object says exactly what it owns. */
const isSettled = ({ object, claim, digests }: Member): boolean => isOwned(object, digests) && claim.owned.isSubsetOf(digests);

/**
 * Writes down what each member owns before anything is done for it: what it had AND what it will have while both may be on the broker,
 * only what it has once the broker agrees. A member that changed meanwhile is left out: its newer version comes by itself.
 */
async function own(
  kube: Pick<KubePort, "patch">,
  members: readonly Member[],
  outcomes: ReadonlyMap<string, Outcome>,
): Promise<readonly Member[]> {
  const refused = new Set<Member>();
  await inParallel(members, PARALLEL_WRITES, async (member) => {
    const { object, claim, resource, digests } = member;
    const settled = outcomes.get(claim.owner.uid)?.state === "in-sync";
    if (settled ? isSettled(member) : isOwned(object, digests)) return;
    try {
      await writeOwned(kube, resource, object, settled ? digests : digests.union(claim.owned));
    } catch (error) {
      if (!isKubeError(error, 404, 409)) throw error;
      refused.add(member);
    }
  });
  return members.filter((member) => !refused.has(member));
}

function targetsOf(members: readonly Member[]): Iterable<Target> {
  return new Map(members.flatMap(({ claim: { targets } }) => targets.map((target) => [targetKey(target), target] as const))).values();
}
