import * as z from "zod";
import type { Resource } from "../../adapters/ports.ts";
import type { KubeObject } from "../object.ts";

/** https://kubernetes.io/docs/concepts/architecture/leases/, by the rules of client-go's tools/leaderelection. */
export const LEASES: Resource = { group: "coordination.k8s.io", version: "v1", plural: "leases", kind: "Lease" };

const specSchema = z.object({
  holderIdentity: z.string().default(""),
  leaseDurationSeconds: z.number().default(0),
  acquireTime: z.string().optional(),
  renewTime: z.string().optional(),
  leaseTransitions: z.number().default(0),
});
export type LeaseSpec = z.output<typeof specSchema>;

export interface Lease extends KubeObject {
  readonly spec?: unknown;
}

/** What the lease says; a spec that is missing or broken counts as held by nobody. */
export function readLease({ spec }: Lease): LeaseSpec {
  const parsed = specSchema.safeParse(spec ?? {});
  return parsed.success ? parsed.data : specSchema.parse({});
}

/** What was seen of a lease, and when, by the reader's own monotonic clock: the clocks of two machines are never compared. */
export interface Sighting {
  readonly spec: LeaseSpec;
  readonly version: string | undefined;
  /** When this version was seen first, ms. */
  readonly since: number;
}

/** Whether we may take a lease that we saw so: it is ours, held by nobody, or has not been renewed for as long as it lasts. */
export function mayTake({ spec, since }: Sighting, identity: string, elapsed: number): boolean {
  if (spec.holderIdentity === "" || spec.holderIdentity === identity) return true;
  return elapsed - since > spec.leaseDurationSeconds * 1_000;
}

/**
 * The spec of a lease that we hold from now on, or go on holding.
 * @param now ms since the epoch
 */
export function heldBy(identity: string, before: LeaseSpec | undefined, leaseMs: number, now: number): LeaseSpec {
  const time = new Date(now).toISOString().replace("Z", "000Z");
  const ours = before?.holderIdentity === identity;
  return {
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(leaseMs / 1_000),
    acquireTime: ours ? (before.acquireTime ?? time) : time,
    renewTime: time,
    leaseTransitions: before === undefined ? 0 : before.leaseTransitions + (ours ? 0 : 1),
  };
}
