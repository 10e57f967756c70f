import type { BrokerError } from "../adapters/ports.ts";
import type { Clock } from "../runtime/clock.ts";
import { backoffMs } from "../runtime/queue/backoff.ts";
import type { Member } from "./members.ts";

/** Tries at what the broker refuses: somebody may give the permission, or empty the queue, without telling us. */
const REFUSED = { baseMs: 1_000, capMs: 10_000 };
/** Tries at what lacks something that another object may be about to make. */
const MISSING = { baseMs: 500, capMs: 2_000 };
/** A queue that is to go when it is empty is looked at this often, ms. */
const NOT_EMPTY_MS = 2_000;

/** What the broker refused, by object: it is not tried again with every change of something else. */
export interface Refusals {
  /** The refusal that still holds, and for how many ms; undefined when it may be tried, as after every change of the spec. */
  held(member: Member): { readonly error: BrokerError; readonly forMs: number } | undefined;
  /** Returns after how many ms to try again. */
  refused(member: Member, error: BrokerError): number;
  clear(member: Member): void;
  /** Something was declared: what was refused because something else was missing may be tried again. */
  retryMissing(): void;
}

interface Refusal {
  readonly error: BrokerError;
  readonly until: number;
  readonly version: string;
  readonly failures: number;
}

export function createRefusals(clock: Clock, random: () => number): Refusals {
  const refusals = new Map<string, Refusal>();
  const versionOf = ({ object: { metadata } }: Member): string => `${metadata.generation} ${metadata.deletionTimestamp ?? ""}`;

  return {
    held(member) {
      const refusal = refusals.get(member.claim.owner.uid);
      const forMs = (refusal?.until ?? 0) - clock.elapsed();
      return refusal === undefined || forMs <= 0 || refusal.version !== versionOf(member) ? undefined : { error: refusal.error, forMs };
    },
    refused(member, error) {
      const { uid } = member.claim.owner;
      const version = versionOf(member);
      const before = refusals.get(uid);
      const failures = before?.version === version ? before.failures + 1 : 0;
      const wait =
        error.failure === "not-empty" ? NOT_EMPTY_MS : backoffMs(error.failure === "missing" ? MISSING : REFUSED, failures, random());
      refusals.set(uid, { error, until: clock.elapsed() + wait, version, failures });
      return wait;
    },
    clear: ({ claim }) => void refusals.delete(claim.owner.uid),
    retryMissing() {
      for (const [uid, refusal] of refusals) if (refusal.error.failure === "missing") refusals.set(uid, { ...refusal, until: 0 });
    },
  };
}
