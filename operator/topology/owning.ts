import type { KubePort } from "../adapters/ports.ts";
import { hasFinalizer } from "../runtime/finalizer.ts";
import { inParallel } from "../runtime/in-parallel.ts";
import { isKubeError } from "../runtime/kube-error.ts";
import type { Outcome } from "./diff.ts";
import type { Member } from "./members.ts";
import { isOwned, writeOwned } from "./ownership.ts";
import type { Unproven } from "./unproven.ts";

/** Writes side by side. More are no faster with an API server on two cores, and each takes longer: whoever comes between them waits. */
const PARALLEL = 8;

/** Members of which is being written down what they own. */
export interface Owning {
  /** Resolves when it is written whether the broker may be changed for this owner; rejects as `all`. */
  of(uid: string): Promise<boolean>;
  /** Those for whom it may be changed. Rejects with `KubeError` when the API server is lost, or with the signal's reason. */
  readonly all: Promise<readonly Member[]>;
}

/** Whether the object says exactly what it owns. */
export const isSettled = ({ object, claim, digests }: Member): boolean => isOwned(object, digests) && claim.owned.isSubsetOf(digests);

/**
 * Writes down what each member owns before anything is done for it: what it had AND what it will have while both may be on the broker,
 * only what it has once the broker agrees. A member that changed meanwhile is refused: its newer version comes by itself.
 */
export function startOwning(
  kube: Pick<KubePort, "patch">,
  members: readonly Member[],
  outcomes: ReadonlyMap<string, Outcome>,
  { unproven, signal }: { readonly unproven: Pick<Unproven, "owned">; readonly signal: AbortSignal },
): Owning {
  const answers = new Map(members.map((member) => [member, Promise.withResolvers<boolean>()]));
  const byUid = new Map([...answers].map(([member, { promise }]) => [member.claim.owner.uid, promise]));
  // Who waits for none of them hears of it by `all`.
  for (const { promise } of answers.values()) promise.catch(() => undefined);
  const owned = new Set<Member>();
  const write = async (member: Member): Promise<void> => {
    const { object, claim, resource, digests } = member;
    const settled = outcomes.get(claim.owner.uid)?.state === "in-sync";
    let mine = true;
    try {
      if (!(settled ? isSettled(member) : isOwned(object, digests))) {
        const written = await writeOwned(kube, resource, object, settled ? digests : digests.union(claim.owned));
        if (!settled && !hasFinalizer(object)) unproven.owned(member, written);
      }
    } catch (error) {
      if (!isKubeError(error, 404, 409)) throw error;
      mine = false;
    }
    if (mine) owned.add(member);
    answers.get(member)?.resolve(mine);
  };
  const run = async (): Promise<readonly Member[]> => {
    try {
      await inParallel(members, PARALLEL, write, signal);
      return members.filter((member) => owned.has(member));
    } catch (error) {
      for (const { reject } of answers.values()) reject(error);
      throw error;
    }
  };
  const all = run();
  all.catch(() => undefined);
  return { all, of: (uid) => byUid.get(uid) ?? Promise.resolve(false) };
}
