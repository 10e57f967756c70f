import type { KubePort } from "../../adapters/ports.ts";
import { type Clock, sleep } from "../clock.ts";
import type { Log } from "../log.ts";
import { type Claim, createClaim } from "./claim.ts";
import { standBy } from "./stand-by.ts";

export interface ElectionOptions {
  readonly kube: Pick<KubePort, "get" | "create" | "patch" | "watch">;
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
  /** How often a candidate looks, beside the watch that tells it at once; default `retryMs`. */
  readonly lookMs?: number;
  /** Acts as the leader until the signal aborts; it must end then, at once. */
  readonly lead: (signal: AbortSignal) => Promise<void>;
  readonly onChange?: (leading: boolean) => void;
  /** Called with every look at the lease, by leader and candidate alike. */
  readonly onRound?: () => void;
}

/**
 * Takes part in the election until the signal aborts, then releases the lease: the next leader sees that at once. A leader that loses the lease becomes a
 * candidate again once `lead` has ended, after standing back for `retryMs`: who can renew goes first. The lease is released only after `lead` has ended.
 * Throws what `lead` throws, and when `lead` does not end in time: before another leader may begin, or `stopMs` after the signal. The process must
 * end then.
 */
export async function runElection(options: ElectionOptions, signal: AbortSignal): Promise<void> {
  const { clock, log, retryMs = 2_000, identity } = options;
  const claim = createClaim(options);
  while (!signal.aborted) {
    if (!(await claim.attempt()) && !(await standBy(options, claim, signal))) return;
    log.info({ identity }, "became the leader");
    await reign(options, claim, signal);
    await sleep(clock, retryMs, signal);
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
