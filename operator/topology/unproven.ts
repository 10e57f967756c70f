import type { KubePort } from "../adapters/ports.ts";
import { hasFinalizer, removeFinalizer } from "../runtime/finalizer.ts";
import { isKubeError } from "../runtime/kube-error.ts";
import type { KubeObject } from "../runtime/object.ts";
import type { Claim } from "./claim.ts";
import { differences } from "./compare.ts";
import { type Actual, type Outcome, thereOf } from "./diff.ts";
import type { Member } from "./members.ts";

/**
 * Objects that our finalizer was put on, before it was seen that what they want became theirs. Somebody else may have made it a moment ago, with other
 * arguments: then nothing of it is theirs, and deleting them must delete nothing.
 */
export interface Unproven {
  /** Our finalizer was put on this one, which had none; `written` is the object as it is since. */
  owned(member: Member, written: KubeObject): void;
  /**
   * What was read back: whoever has what it wants is proven, and from whoever met what is somebody else's our finalizer is taken away. Resolves
   * whether that has to be tried again. Throws `KubeError` when the API server is lost.
   */
  settle(members: readonly Member[], outcomes: ReadonlyMap<string, Outcome>, actual: Actual): Promise<boolean>;
  /** Whether what this one wants is somebody else's, as far as anybody knows. */
  metOthers(member: Member, actual: Actual): boolean;
  forget(uid: string): void;
}

export function createUnproven(kube: Pick<KubePort, "patch">): Unproven {
  const waiting = new Map<string, KubeObject>();

  return {
    owned: ({ claim }, written) => void waiting.set(claim.owner.uid, written),
    async settle(members, outcomes, actual) {
      if (waiting.size === 0) return false;
      let again = false;
      for (const member of members) {
        const { claim, resource, object } = member;
        const { uid } = claim.owner;
        const written = waiting.get(uid);
        const state = outcomes.get(uid)?.state;
        if (written === undefined || (state !== "in-sync" && state !== "differs")) continue;
        // What is to be migrated becomes its own.
        if (state === "differs" && isForeign(claim, actual) && object.spec.updatePolicy !== "Migrate") {
          try {
            await removeFinalizer(kube, resource, hasFinalizer(object) ? object : written);
          } catch (error) {
            if (!isKubeError(error, 409)) throw error;
            again = true;
            continue;
          }
        }
        waiting.delete(uid);
      }
      return again;
    },
    metOthers: ({ claim, object }, actual) =>
      waiting.has(claim.owner.uid) && object.spec.updatePolicy !== "Migrate" && isForeign(claim, actual),
    forget: (uid) => void waiting.delete(uid),
  };
}

/** Whether something of what it wants is there, and nothing as it is wanted. */
function isForeign({ wanted }: Claim, actual: Actual): boolean {
  let some = false;
  for (const object of wanted.values()) {
    if (object.type === "binding") continue;
    const there = thereOf(actual, object);
    if (there === undefined) continue;
    if (differences(object, there).length === 0) return false;
    some = true;
  }
  return some;
}
