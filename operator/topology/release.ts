import { BrokerError, type KubePort } from "../adapters/ports.ts";
import { hasFinalizer, removeFinalizer } from "../runtime/finalizer.ts";
import { isKubeError } from "../runtime/kube-error.ts";
import type { EventRecorder } from "../runtime/truth/events.ts";
import { apply } from "./apply.ts";
import { type Claim, winnersOf } from "./diff.ts";
import { farewell, type Leaving } from "./farewell.ts";
import { targetKey } from "./identity.ts";
import type { Session } from "./link.ts";
import type { Member } from "./members.ts";
import { writeOwned } from "./ownership.ts";

const CONFLICT_MS = 100;

export interface ReleaseInput {
  readonly member: Member;
  /** Who claims something of the same vhost: objects that stay, and those that are being deleted, this one too. */
  readonly live: readonly Member[];
  readonly leaving: readonly Member[];
  readonly session: Session | undefined;
  readonly situation: Pick<Leaving, "broker" | "unreachablePolicy" | "brokerDeleting" | "timeoutMs" | "waitedMs">;
}

export interface Released {
  readonly done: boolean;
  readonly againInMs?: number;
  /** Why it stays, when it is the broker that refuses. */
  readonly refused?: BrokerError;
}

/**
 * One try at letting an object go: the broker is cleaned up as its deletionPolicy says and that is read back, then our finalizer is taken away.
 * Throws `BrokerError` when the broker is lost, `KubeError` when the API server is.
 */
export async function release(
  { kube, events }: { readonly kube: Pick<KubePort, "patch">; readonly events: EventRecorder },
  { member, live, leaving, session, situation }: ReleaseInput,
): Promise<Released> {
  const { object, claim, resource } = member;
  const { won, heir } = standing(claim, live, leaving);
  if (!hasFinalizer(object)) return { done: true };
  const decided = farewell({ ...situation, policy: object.spec.deletionPolicy, won, heir: heir !== undefined });
  if (decided.do === "wait") return { done: false, ...(decided.againInMs === undefined ? {} : { againInMs: decided.againInMs }) };
  if (decided.do === "remove") {
    if (session === undefined) return { done: false };
    const refused = await removeTarget(session, claim, decided.ifEmpty);
    if (refused !== undefined) return { done: false, refused };
  } else if (decided.do === "release" && decided.orphaned !== undefined) {
    const note = `${claim.target.type} ${claim.target.name} may have been left on the broker: ${decided.orphaned}`;
    events.record({ regarding: object, reason: "Orphaned", action: "Release", note });
  }
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

/** Who has the target now, and who would have it next: the oldest of those that stay. */
function standing(claim: Claim, live: readonly Member[], leaving: readonly Member[]): { won: boolean; heir: Member | undefined } {
  const key = targetKey(claim.target);
  const staying = live.filter((one) => targetKey(one.claim.target) === key);
  const claims = [...staying, ...leaving].map((one) => one.claim);
  const winner = winnersOf(claims).get(key);
  const next = winnersOf(staying.map((one) => one.claim)).get(key);
  return {
    won: winner === undefined || winner.owner.uid === claim.owner.uid,
    heir: staying.find((one) => one.claim.owner.uid === next?.owner.uid),
  };
}

/** Removes it and looks whether it went. Its bindings go with it. */
async function removeTarget(
  { port, picture }: Session,
  { owner, target, objects }: Claim,
  ifEmpty: boolean,
): Promise<BrokerError | undefined> {
  const [object] = objects;
  if (object === undefined) return undefined;
  const failures = await apply(port, [{ op: "remove", object, uid: owner.uid, ifEmpty }], false);
  const failure = failures.get(owner.uid);
  if (failure !== undefined) return failure;
  picture.doubt(target);
  await picture.refresh();
  const still = picture.actual.get(targetKey(target))?.some(({ type }) => type === target.type) === true;
  return still
    ? new BrokerError("unavailable", "management", `${target.type} ${target.name} is still there after it was deleted`)
    : undefined;
}
