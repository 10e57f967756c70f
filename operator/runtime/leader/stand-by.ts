import { sleep } from "../clock.ts";
import { errorFields } from "../log.ts";
import type { Claim } from "./claim.ts";
import type { ElectionOptions } from "./leader.ts";
import { LEASES, type Lease } from "./lease.ts";

/**
 * Waits as a candidate until the lease was taken, or the signal aborts. Tries as soon as a watch shows that the lease is free, when it has not been
 * renewed for as long as it lasts, and every `lookMs`: a watch that fails or stalls costs time, never the succession. Never throws.
 * @returns whether the lease is ours
 */
export async function standBy(options: ElectionOptions, claim: Claim, signal: AbortSignal): Promise<boolean> {
  const { clock, random, retryMs = 2_000, lookMs = retryMs } = options;
  const waiting = new AbortController();
  const leave = () => waiting.abort();
  signal.addEventListener("abort", leave, { once: true });
  if (signal.aborted) leave();
  let freed = Promise.withResolvers<void>();
  void followLease(options, claim, () => freed.resolve(), waiting.signal);
  try {
    while (!signal.aborted) {
      // Between half and the whole, so that candidates do not come together. A moment after the end: until then it is the holder's.
      const look = Math.min(lookMs * (0.5 + 0.5 * random()), Math.max(1, claim.freeInMs() + 1));
      const slept = new AbortController();
      await Promise.race([sleep(clock, look, AbortSignal.any([waiting.signal, slept.signal])), freed.promise]);
      slept.abort();
      freed = Promise.withResolvers();
      if (!signal.aborted && (await claim.attempt())) return true;
    }
    return false;
  } finally {
    signal.removeEventListener("abort", leave);
    leave();
  }
}

/** Tells the claim what becomes of the lease, and `onFree` whenever nobody holds it, until the signal aborts. Never throws. */
async function followLease(options: ElectionOptions, claim: Claim, onFree: () => void, signal: AbortSignal): Promise<void> {
  const { kube, clock, log, namespace, name, retryMs = 2_000 } = options;
  const selection = { namespace, fieldSelector: `metadata.name=${name}` };
  let failed = false;
  while (!signal.aborted) {
    const version = claim.version();
    try {
      for await (const event of version === undefined ? [] : kube.watch<Lease>(LEASES, selection, version, signal)) {
        if (signal.aborted) return; // What was true of the candidate may not be of the leader.
        if (event.type === "DELETED" || (event.type !== "BOOKMARK" && claim.sees(event.object))) onFree();
      }
    } catch (error) {
      if (!signal.aborted && !failed) log.warn(errorFields(error), "cannot watch the lease, looking from time to time");
      failed = true;
    }
    await sleep(clock, retryMs, signal);
  }
}
