/** What `observe.ts` concludes from the readings, and `decide.ts` decides upon. */

/**
 * - `fresh`: known now.
 * - `unconfirmed`: a zero that no second sensor has agreed to yet.
 * - `stale`: known once, too long ago.
 * - `contradicted`: two sensors disagree.
 * - `missing`: never known, or the thing itself is not there.
 * Only fresh values ever shrink a pool. The order is from best to worst.
 */
export const TRUST = ["fresh", "unconfirmed", "stale", "contradicted", "missing"] as const;
export type Trust = (typeof TRUST)[number];

/** `value` is what is known for sure; with any trust but fresh, a lower bound. */
export interface Measured {
  readonly value: number;
  readonly trust: Trust;
}

/**
 * - `starting`: not ready yet, has nothing in flight.
 * - `working`: its work is known. - `silent`: runs, and its work is not known. - `leaving`: being deleted.
 */
export type PodState = "starting" | "working" | "silent" | "leaving";

export interface PodSeen {
  readonly name: string;
  readonly state: PodState;
  readonly ready: boolean;
  /** 0 while starting; undefined while silent. */
  readonly busy: number | undefined;
  readonly unacked: number | undefined;
  readonly drainingSince: number | undefined;
}

export interface Observation {
  /** Messages that wait in the queues; weighted. */
  readonly ready: Measured;
  /** Taken by workers and not settled. */
  readonly inFlight: Measured;
  /** The backlog: both. */
  readonly total: Measured;
  readonly pods: readonly PodSeen[];
  /** Queues that the broker does not know. */
  readonly missingQueues: readonly string[];
  readonly alarms: readonly string[];
  /** Why something is not fresh, in words. */
  readonly doubts: readonly string[];
}

/** The worse of two. */
export const worseTrust = (a: Trust, b: Trust): Trust => (TRUST.indexOf(a) >= TRUST.indexOf(b) ? a : b);
