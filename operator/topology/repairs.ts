import type { EventRecorder } from "../runtime/truth/events.ts";
import type { OwnedOperation } from "./apply.ts";
import { describeObject } from "./identity.ts";
import type { Member } from "./members.ts";
import type { TopologyMetrics } from "./metrics.ts";
import { wasReady } from "./situation.ts";

/** Tells what somebody else had changed and was changed back. */
export interface Repairs {
  /** What was done for a member in a pass. It was a repair when the object had been Ready, and wants what it wanted then. */
  done(member: Member, operations: readonly OwnedOperation[], inSync: boolean): void;
  /** The broker would not have it yet: when it does, that is the repair, although the object is not Ready any more by then. */
  failed(member: Member): void;
  /** How often, for the status; undefined: never. */
  count(member: Member): number | undefined;
  forget(uid: string): void;
}

export function createRepairs(events: EventRecorder, metrics: TopologyMetrics): Repairs {
  const counts = new Map<string, number>();
  const revisions = new Map<string, string>();
  /** By uid, the generation that was Ready when a repair of it failed. */
  const broken = new Map<string, number | undefined>();
  const count = ({ object, claim }: Member): number => Math.max(counts.get(claim.owner.uid) ?? 0, object.status?.repairs ?? 0);

  return {
    done(member, operations, inSync) {
      const { object, revision } = member;
      const { uid } = member.claim.owner;
      // A Secret that says something else now changes the wish without a new generation.
      const same = revision === undefined || (revisions.get(uid) ?? revision) === revision;
      if (inSync && revision !== undefined) revisions.set(uid, revision);
      const pending = broken.has(uid) && broken.get(uid) === object.metadata.generation;
      if (operations.length > 0) broken.delete(uid);
      if (operations.length === 0 || !same || !(wasReady(object) || pending)) return;
      const note = operations
        .map(({ op, object: one }) => `${op === "declare" ? "declared" : "removed"} ${describeObject(one)}`)
        .join(", ");
      events.record({ regarding: object, reason: "DriftRepaired", action: "Repair", note });
      metrics.repaired();
      counts.set(uid, count(member) + 1);
    },
    failed({ object, claim }) {
      if (wasReady(object)) broken.set(claim.owner.uid, object.metadata.generation);
    },
    count(member) {
      const known = count(member);
      return known === 0 ? undefined : known;
    },
    forget(uid) {
      counts.delete(uid);
      revisions.delete(uid);
      broken.delete(uid);
    },
  };
}
