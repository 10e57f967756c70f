import type { KubePort } from "../../adapters/ports.ts";
import { type Clock, sleep } from "../clock.ts";
import { isKubeError } from "../kube-error.ts";
import { errorFields, type Log } from "../log.ts";
import { heldBy, LEASES, type Lease, mayTake, readLease, type Sighting } from "./lease.ts";

export interface ElectionOptions {
  readonly kube: Pick<KubePort, "get" | "create" | "patch">;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly namespace: string;
  readonly name: string;
  /** Unique among all candidates: the pod's name. */
  readonly identity: string;
  /** How long others wait for a leader that is silent; default 15,000. */
  readonly leaseMs?: number;
  /** How long the leader goes on acting without having renewed; below `leaseMs`, so that it stops before another begins. Default 10,000. */
  readonly renewMs?: number;
  /** How long `lead` may take to end when this process is told to; then the lease is released nevertheless, and the process must end. Default 3,000. */
  readonly stopMs?: number;
  /** How often the leader renews; default 2,000. */
  readonly retryMs?: number;
  /** How often a candidate looks; default `retryMs`. */
  readonly lookMs?: number;
  /** Acts as the leader until the signal aborts; it must end then, at once. */
  readonly lead: (signal: AbortSignal) => Promise<void>;
  readonly onChange?: (leading: boolean) => void;
  /** Called with every look at the lease, by leader and candidate alike. */
  readonly onRound?: () => void;
}

/**
 * Takes part in the election until the signal aborts, then releases the lease, so that the next leader need not wait.
 * A leader that loses the lease becomes a candidate again once `lead` has ended. The lease is released only after `lead` has ended.
 * Throws what `lead` throws, and when `lead` does not end in time: before another leader may begin, or `stopMs` after the signal. The process must
 * end then.
 */
export async function runElection(options: ElectionOptions, signal: AbortSignal): Promise<void> {
  const { clock, random, log, retryMs = 2_000, lookMs = retryMs, identity } = options;
  const claim = createClaim(options);
  while (!signal.aborted) {
    if (await claim.attempt()) {
      log.info({ identity }, "became the leader");
      await reign(options, claim, signal);
    } else {
      // Between half and the whole, so that candidates do not come together, and a released lease is soon taken.
      await sleep(clock, lookMs * (0.5 + 0.5 * random()), signal);
    }
  }
}

async function reign(options: ElectionOptions, claim: Claim, signal: AbortSignal): Promise<void> {
  const { clock, log, lead, onChange, leaseMs = 15_000, renewMs = 10_000, retryMs = 2_000, stopMs = 3_000 } = options;
  const term = new AbortController();
  const stop = () => term.abort();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();

  // Its own timer: an attempt that hangs must not delay the end of the term.
  let deadline: Disposable | undefined;
  const extend = (): void => {
    deadline?.[Symbol.dispose]();
    deadline = clock.after(Math.max(0, claim.renewedAt() + renewMs - clock.elapsed()), () => {
      log.error({}, "lost the lease: it could not be renewed in time");
      stop();
    });
  };
  const renewing = async (): Promise<void> => {
    for (;;) {
      await sleep(clock, retryMs, term.signal);
      if (term.signal.aborted) return;
      if (await claim.attempt()) extend();
      else if (claim.takenByOther()) {
        log.error({}, "lost the lease: another took it");
        return stop();
      }
    }
  };

  extend();
  onChange?.(true);
  const renewal = renewing();
  try {
    const leading = lead(term.signal).finally(stop);
    await endedInTime(clock, leading, term.signal, () => (signal.aborted ? Math.min(stopMs, leaseMs - renewMs) : leaseMs - renewMs));
  } catch (error) {
    // What is still under way ends with the process, in a moment: the next leader need not wait for the lease to expire.
    if (signal.aborted) await claim.release();
    throw error;
  } finally {
    stop();
    onChange?.(false);
    deadline?.[Symbol.dispose]();
    signal.removeEventListener("abort", stop);
  }
  // A renewal under way would take back what is released now. One that hangs is not waited for: its version is old then, or it is the newest and releasing fails.
  await Promise.race([renewal, sleep(clock, 1_000, new AbortController().signal)]);
  await claim.release();
}

/** Resolves when `work` ends; throws its error, and when it has not ended `graceMs()` after the signal. */
async function endedInTime(clock: Clock, work: Promise<void>, signal: AbortSignal, graceMs: () => number): Promise<void> {
  const late = Promise.withResolvers<never>();
  let timer: Disposable | undefined;
  const watch = () => {
    const ms = graceMs();
    timer = clock.after(ms, () => late.reject(new Error(`the leader's work did not end within ${ms} ms of the end of its term`)));
  };
  if (signal.aborted) watch();
  else signal.addEventListener("abort", watch, { once: true });
  try {
    await Promise.race([work, late.promise]);
  } finally {
    timer?.[Symbol.dispose]();
    signal.removeEventListener("abort", watch);
  }
}

interface Claim {
  /** Takes or renews the lease. Whether it is ours now. Never throws. */
  attempt(): Promise<boolean>;
  /** Gives it up, if it is ours. Never throws. */
  release(): Promise<void>;
  /** When it was renewed last: when that attempt began, monotonic ms. */
  renewedAt(): number;
  takenByOther(): boolean;
}

function createClaim({ kube, clock, log, namespace, name, identity, onRound, leaseMs = 15_000 }: ElectionOptions): Claim {
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
    takenByOther: () => seen !== undefined && seen.spec.holderIdentity !== identity && seen.spec.holderIdentity !== "",
  };
}
