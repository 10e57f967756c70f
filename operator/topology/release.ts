import { BrokerError, type BrokerObject, type KubePort } from "../adapters/ports.ts";
import { isHeld, removeFinalizer } from "../runtime/finalizer.ts";
import { inParallel } from "../runtime/in-parallel.ts";
import { isKubeError } from "../runtime/kube-error.ts";
import type { ConditionInput } from "../runtime/truth/conditions.ts";
import type { EventRecorder } from "../runtime/truth/events.ts";
import { apply } from "./apply.ts";
import { type Claim, seniorOf, thingsOf, winnersOf } from "./claim.ts";
import { differences } from "./compare.ts";
import { thereOf } from "./diff.ts";
import { farewell, givesUp, type Leaving, type Refused } from "./farewell.ts";
import { describeObject, identityOf, targetKey, targetOf } from "./identity.ts";
import type { Session } from "./link.ts";
import type { Member } from "./members.ts";
import { holdingName } from "./migrate.ts";
import type { Migrations, Progress } from "./migration.ts";
import { writeOwned } from "./ownership.ts";
import { holdOf } from "./standstill.ts";

const CONFLICT_MS = 100;
const PARALLEL = 8;

export interface ReleaseInput {
  readonly member: Member;
  /** Whether it is known that what stands on the broker is this object's. */
  readonly owned: boolean;
  /** Who claims something of the same vhost: objects that stay, and those that are being deleted, this one too. */
  readonly live: readonly Member[];
  readonly leaving: readonly Member[];
  readonly session: Session | undefined;
  readonly situation: Pick<Leaving, "broker"> & Omit<Refused, "notEmpty">;
  /** The next step of a migration that was begun. */
  readonly migrations: Migrations;
}

export interface Released {
  readonly done: boolean;
  readonly againInMs?: number;
  /** Why it stays, when it is the broker that refuses. */
  readonly refused?: BrokerError;
  /** What it does before it goes. */
  readonly condition?: ConditionInput;
}

/**
 * One try at letting an object go: the broker is cleaned up as its deletionPolicy says and that is read back, then our finalizer is taken away.
 * Throws `BrokerError` when the broker is lost, `KubeError` when the API server is.
 */
export async function release(
  { kube, events }: { readonly kube: Pick<KubePort, "patch">; readonly events: EventRecorder },
  { member, owned, live, leaving, session, situation, migrations }: ReleaseInput,
): Promise<Released> {
  const { object, claim, resource } = member;
  const { won, heir } = standing(claim, live, leaving);
  if (!isHeld(object)) return { done: true };
  // It was never allowed to do anything.
  const untouched = !owned && holdOf(object) !== undefined;
  const decided = farewell({
    ...situation,
    policy: untouched ? "Retain" : object.spec.deletionPolicy,
    owned,
    won,
    heir: heir !== undefined,
  });
  if (decided.do === "wait") return { done: false, ...(decided.againInMs === undefined ? {} : { againInMs: decided.againInMs }) };
  // What stays on the broker, or may stay, has its messages in its own queue again.
  const begun = session !== undefined && owned && won && heir === undefined && object.spec.deletionPolicy !== "Delete";
  const progress = begun ? await finish(session, member, migrations) : undefined;
  if (progress !== undefined) return { done: false, ...progress };
  if (decided.do === "remove") {
    if (session === undefined) return { done: false };
    // It may have been declared a moment ago, and not been read back.
    if (decided.onlyEqual) await session.picture.look(claim.targets);
    const objects = [...removable(claim, [...live, ...leaving]), ...holdingOf(session, claim)];
    const meant = decided.onlyEqual ? objects.filter((one) => isAsWanted(session, one)) : objects;
    const refused = await removeAll(session, claim, meant, decided.ifEmpty);
    const notEmpty = refused?.failure === "not-empty";
    // Whether this object made what holds messages was never written down: better left than lost.
    const given = refused !== undefined && ((decided.onlyEqual && notEmpty) || givesUp({ ...situation, notEmpty }));
    if (refused !== undefined && !given) return { done: false, refused };
    if (refused !== undefined) orphaned(events, member, refused.message);
  } else if (decided.do === "release" && decided.orphaned !== undefined) orphaned(events, member, decided.orphaned);
  try {
    // Also what this one had put there: the heir decides which of its bindings stay.
    if (decided.do === "hand-over" && heir !== undefined) {
      await writeOwned(kube, heir.resource, heir.object, heir.digests.union(heir.claim.owned).union(claim.owned));
    }
    await removeFinalizer(kube, resource, object);
    return { done: true };
  } catch (error) {
    if (!isKubeError(error, 409)) throw error;
    return { done: false, againInMs: CONFLICT_MS };
  }
}

function orphaned(events: EventRecorder, { object, claim }: Member, why: string): void {
  const [first] = claim.wanted.values();
  const note = `${first === undefined ? "nothing" : describeObject(first)} may have been left on the broker: ${why}`;
  events.record({ regarding: object, reason: "Orphaned", action: "Release", note });
}

/** Who has what it claims now, and who would have it next: the oldest of those that stay. */
function standing(claim: Claim, live: readonly Member[], leaving: readonly Member[]): { won: boolean; heir: Member | undefined } {
  const keys = new Set(claim.keys);
  const competing = ({ claim: other }: Member): boolean => other.keys.some((key) => keys.has(key));
  const staying = live.filter(competing);
  const winners = winnersOf([...staying, ...leaving.filter(competing)].map((one) => one.claim));
  const next = winnersOf(staying.map((one) => one.claim));
  const uids = new Set(claim.keys.map((key) => next.get(key)?.owner.uid));
  return { won: seniorOf(claim, winners) === undefined, heir: staying.find((one) => uids.has(one.claim.owner.uid)) };
}

/** What goes with its owner, but for bindings that somebody else wants, too. */
function removable(claim: Claim, others: readonly Member[]): readonly BrokerObject[] {
  const { uid } = claim.owner;
  const kept = (identity: string): boolean => others.some(({ claim: { owner, wanted } }) => owner.uid !== uid && wanted.has(identity));
  return thingsOf(claim).filter((object) => object.type !== "binding" || !kept(identityOf(object)));
}

/** Whether the broker has it, exactly as it is wanted. */
function isAsWanted({ picture }: Session, object: BrokerObject): boolean {
  const there = thereOf(picture.actual, object);
  return there !== undefined && differences(object, there).length === 0;
}

/** The next step of its migration, undefined when there is none to finish. */
async function finish(session: Session, member: Member, migrations: Migrations): Promise<Progress | undefined> {
  const { claim } = member;
  if (holdingOf(session, claim).length === 0) return undefined;
  const [wanted] = claim.wanted.values();
  const there = wanted !== undefined && session.picture.actual.has(targetKey(targetOf(wanted)));
  if (wanted !== undefined && !there) {
    await session.port.declare(wanted);
    session.picture.doubt(targetOf(wanted));
    await session.picture.refresh();
  }
  return (await migrations(session, [member], new Map())).get(claim.owner.uid);
}

/** The queue that holds its messages, when it goes in the middle of a migration. */
const holdingOf = ({ picture }: Session, { wanted }: Claim): readonly BrokerObject[] =>
  [...wanted.values()].flatMap((object) => {
    const place = object.type === "queue" ? targetKey({ type: "queue", name: holdingName(object.name) }) : "";
    return (picture.actual.get(place) ?? []).filter(({ type }) => type === "queue");
  });

/** Of several queues that go together none goes while any holds a message. One alone is asked when it is removed. */
async function fullOne(port: Session["port"], objects: readonly BrokerObject[]): Promise<BrokerError | undefined> {
  const queues = objects.filter(({ type }) => type === "queue");
  if (queues.length < 2) return undefined;
  let full: BrokerError | undefined;
  await inParallel(queues, PARALLEL, async (queue) => {
    const { name } = targetOf(queue);
    const count = full === undefined ? await port.messages(name) : 0;
    if (count > 0) full = new BrokerError("not-empty", "management", `queue ${name} has ${count} message${count === 1 ? "" : "s"}`);
  });
  return full;
}

/** Removes them and looks whether they went. */
async function removeAll(
  { port, picture }: Session,
  { owner: { uid } }: Claim,
  objects: readonly BrokerObject[],
  ifEmpty: boolean,
): Promise<BrokerError | undefined> {
  const full = ifEmpty ? await fullOne(port, objects) : undefined;
  if (full !== undefined) return full;
  const failures = await apply(
    port,
    objects.map((object) => ({ op: "remove", object, uid, ifEmpty })),
    false,
  );
  const failure = failures.get(uid);
  if (failure !== undefined) return failure;
  for (const object of objects) picture.doubt(targetOf(object));
  await picture.refresh();
  const still = objects.find((object) => thereOf(picture.actual, object) !== undefined);
  return still === undefined
    ? undefined
    : new BrokerError("unavailable", "management", `${describeObject(still)} is still there after it was deleted`);
}
