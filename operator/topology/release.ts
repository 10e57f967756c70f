import { BrokerError, type KubePort } from "../adapters/ports.ts";
import type { ConditionInput } from "../runtime/conditions.ts";
import type { EventRecorder } from "../runtime/events.ts";
import { hasFinalizer, removeFinalizer } from "../runtime/finalizer.ts";
import { isKubeError } from "../runtime/kube-error.ts";
import { apply } from "./apply.ts";
import { type Claim, winnersOf } from "./diff.ts";
import { farewell, type Leaving } from "./farewell.ts";
import { targetKey } from "./identity.ts";
import type { Session } from "./link.ts";
import type { Member } from "./members.ts";
import { refusedOperation } from "./say.ts";

/** How soon a queue that was not empty is looked at again, ms. */
const AGAIN_MS = 2_000;
const CONFLICT_MS = 100;

export interface ReleaseInput {
  readonly member: Member;
  /** Claims to the same vhost: of objects that stay, and of those that are being deleted, this one too. */
  readonly live: readonly Claim[];
  readonly leaving: readonly Claim[];
  readonly session: Session | undefined;
  readonly situation: Pick<Leaving, "broker" | "unreachablePolicy" | "brokerDeleting" | "timeoutMs" | "waitedMs">;
}

export interface Released {
  readonly done: boolean;
  readonly againInMs?: number;
  /** What to say of an object that stays. */
  readonly condition?: ConditionInput;
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
  if (!hasFinalizer(object)) return { done: true };
  const decided = farewell({ ...situation, policy: object.spec.deletionPolicy, ...standing(claim, live, leaving) });
  if (decided.do === "wait") return { done: false, ...(decided.againInMs === undefined ? {} : { againInMs: decided.againInMs }) };
  if (decided.do === "remove") {
    if (session === undefined) return { done: false };
    const refused = await removeTarget(session, claim, decided.ifEmpty);
    if (refused !== undefined) return { done: false, againInMs: AGAIN_MS, condition: refusedOperation(refused) };
  } else if (decided.orphaned !== undefined) {
    const note = `${claim.target.type} ${claim.target.name} may have been left on the broker: ${decided.orphaned}`;
    events.record({ regarding: object, reason: "Orphaned", action: "Release", note });
  }
  try {
    await removeFinalizer(kube, resource, object);
    return { done: true };
  } catch (error) {
    if (!isKubeError(error, 409)) throw error;
    return { done: false, againInMs: CONFLICT_MS };
  }
}

/** Who has the target now, and who would have it next. */
function standing(claim: Claim, live: readonly Claim[], leaving: readonly Claim[]): { won: boolean; heir?: Claim } {
  const key = targetKey(claim.target);
  const rivals = live.filter(({ target }) => targetKey(target) === key);
  const winner = winnersOf([...rivals, ...leaving.filter(({ target }) => targetKey(target) === key)]).get(key);
  const [heir] = rivals;
  return { won: winner === undefined || winner.owner.uid === claim.owner.uid, ...(heir === undefined ? {} : { heir }) };
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
