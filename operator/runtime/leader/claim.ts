import { isKubeError } from "../kube-error.ts";
import { errorFields } from "../log.ts";
import type { ElectionOptions } from "./leader.ts";
import { heldBy, LEASES, type Lease, mayTake, readLease, type Sighting } from "./lease.ts";

/** One process's claim to the lease: what it saw of it last, and the compare-and-set that takes, renews and releases it. */
export interface Claim {
  /** Takes or renews the lease. Whether it is ours now. Never throws. */
  attempt(): Promise<boolean>;
  /** Gives it up, if it is ours. Never throws. */
  release(): Promise<void>;
  /** When it was renewed last: when that attempt began, monotonic ms. */
  renewedAt(): number;
  takenByOther(): boolean;
  /** What a watch says of the lease now. Whether it is free: held by nobody. */
  sees(lease: Lease): boolean;
  /** Which version was seen last; undefined when none was. */
  version(): string | undefined;
  /** In how many ms the lease that was seen last may be taken, should nobody renew it; infinite when none was seen. */
  freeInMs(): number;
}

/** What `attempt` takes is ours by the API server's word alone: every write names the version that it replaces. */
export function createClaim({ kube, clock, log, namespace, name, identity, onRound, leaseMs = 15_000 }: ElectionOptions): Claim {
  let seen: Sighting | undefined;
  let renewed = Number.NEGATIVE_INFINITY;

  const see = (lease: Lease): Sighting => {
    const version = lease.metadata.resourceVersion;
    if (seen?.version !== version || seen === undefined) seen = { spec: readLease(lease), version, since: clock.elapsed() };
    return seen;
  };

  /** The version makes it a compare-and-set: of two that try, one gets 409. */
  const hold = async ({ spec, version }: Sighting): Promise<void> => {
    const next = heldBy(identity, spec, leaseMs, clock.now());
    see(await kube.patch<Lease>(LEASES, namespace, name, { metadata: { resourceVersion: version }, spec: next }));
  };
  /** What is ours is renewed without a look: only if that fails, somebody else was there. */
  const renew = async (): Promise<boolean> => {
    if (seen?.spec.holderIdentity !== identity) return false;
    try {
      await hold(seen);
      return true;
    } catch (error) {
      if (isKubeError(error, 404, 409)) return false;
      throw error;
    }
  };

  const take = async (): Promise<boolean> => {
    onRound?.();
    const began = clock.elapsed();
    if (await renew()) {
      renewed = began;
      return true;
    }
    const lease = await kube.get<Lease>(LEASES, namespace, name);
    if (lease === undefined) {
      const spec = heldBy(identity, undefined, leaseMs, clock.now());
      const fresh: Lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name, namespace }, spec };
      see(await kube.create<Lease>(LEASES, fresh));
    } else {
      const sighting = see(lease);
      if (!mayTake(sighting, identity, clock.elapsed())) return false;
      await hold(sighting);
    }
    renewed = began;
    return true;
  };

  return {
    async attempt() {
      try {
        return await take();
      } catch (error) {
        if (!isKubeError(error, 409)) log.warn(errorFields(error), "cannot take or renew the lease, trying again");
        return false;
      }
    },
    async release() {
      if (seen?.spec.holderIdentity !== identity) return;
      const metadata = { resourceVersion: seen.version };
      try {
        see(await kube.patch<Lease>(LEASES, namespace, name, { metadata, spec: { holderIdentity: "", leaseDurationSeconds: 1 } }));
        log.info({}, "released the lease");
      } catch (error) {
        log.warn(errorFields(error), "cannot release the lease; it will expire");
      }
    },
    renewedAt: () => renewed,
    sees: (lease) => see(lease).spec.holderIdentity === "",
    version: () => seen?.version,
    freeInMs: () => (seen === undefined ? Infinity : seen.since + seen.spec.leaseDurationSeconds * 1_000 - clock.elapsed()),
    takenByOther: () => seen !== undefined && seen.spec.holderIdentity !== identity && seen.spec.holderIdentity !== "",
  };
}
