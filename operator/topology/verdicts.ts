import { BrokerError, isSetting } from "../adapters/ports.ts";
import type { ConditionInput } from "../runtime/truth/conditions.ts";
import { differences } from "./compare.ts";
import { thereOf } from "./diff.ts";
import { describeObject } from "./identity.ts";
import type { Session } from "./link.ts";
import type { Member } from "./members.ts";
import type { Refusals } from "./refusals.ts";
import type { Repairs } from "./repairs.ts";
import { readyCondition, refusedOperation } from "./say.ts";
import { holdCondition, holdOf, planOf } from "./standstill.ts";
import type { SyncResult } from "./sync.ts";

/** What is to be said of a member, and after how many ms to look at it again. */
export interface Verdict {
  readonly condition?: ConditionInput;
  readonly plan?: readonly string[];
  readonly againInMs?: number;
}

/** What a pass means for one member, after the read-back. Counts refusals and repairs. */
export function verdictOf(
  member: Member,
  result: SyncResult,
  { session, refusals, repairs }: { readonly session: Session; readonly refusals: Refusals; readonly repairs: Repairs },
): Verdict {
  const { uid } = member.claim.owner;
  const { display } = session.endpoint;
  const done = result.done.get(uid) ?? [];
  const outcome = result.outcomes.get(uid);
  if (outcome === undefined) return {};
  const hold = holdOf(member.object);
  if (hold !== undefined) {
    const plan = planOf(outcome);
    const condition = holdCondition(hold, plan, readyCondition(outcome, member.claim, display));
    return { condition, ...(hold === "plan" ? { plan } : {}) };
  }
  if (member.lacking !== undefined) return { condition: member.lacking };
  const failure = result.failures.get(uid) ?? (done.length > 0 && outcome.state === "changing" ? ignored(member, session) : undefined);
  const wait = failure === undefined ? undefined : refusals.refused(member, failure);
  const pending = outcome.state === "changing" || outcome.state === "blocked";
  const held = pending ? refusals.held(member) : undefined;
  if (!pending) refusals.clear(member);
  // Its turn comes with the next batch.
  if (outcome.state === "changing" && done.length === 0 && held === undefined) return {};
  if (held === undefined) repairs.done(member, done, outcome.state === "in-sync");
  else if (failure !== undefined) repairs.failed(member);
  const againInMs = wait ?? held?.forMs ?? (outcome.state === "changing" ? 100 : undefined);
  const condition = held === undefined ? readyCondition(outcome, member.claim, display) : refusedOperation(held.error);
  return { condition, ...(againInMs === undefined ? {} : { againInMs }) };
}

/** The broker took a setting and shows another one, as an older one does with what it does not know: trying at once again would help nobody. */
function ignored({ claim }: Member, { picture, endpoint }: Session): BrokerError | undefined {
  for (const object of claim.wanted.values()) {
    const there = thereOf(picture.actual, object);
    if (!isSetting(object) || there === undefined) continue;
    const fields = differences(object, there).map(({ field }) => field);
    if (fields.length === 0) continue;
    const what = `${endpoint.display} took ${describeObject(object)}, and shows another value for ${fields.join(", ")}`;
    return new BrokerError("differs", "management", what);
  }
  return undefined;
}
