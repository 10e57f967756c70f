import type { Clock, StorePort } from "../ports.ts";
import { type Keeper, openKeeper } from "./keeper.ts";
import { type Lease, openLeases } from "./leases.ts";

export interface LockContext {
  /** Aborts when the lock can no longer be promised. Stop then: somebody else may hold it. */
  readonly signal: AbortSignal;
  /** Grows with every holder; hand it to the resource, so that it can refuse one who comes late. */
  readonly fence: string;
}

export interface Locks extends AsyncDisposable {
  /**
   * Waits for the lock, holds it while `work` runs, renews it, and gives it back however `work` ends. `ttlMs` is how long a holder
   * that vanished blocks the others. Never gives two holders the same fence. Throws what `work` throws, and the reason of `signal`
   * when it aborts during the wait.
   */
  using<T>(name: string, ttlMs: number, work: (held: LockContext) => Promise<T>, signal?: AbortSignal): Promise<T>;
}

/** Where the fence of a lock is remembered after its last use, ms. A later one is greater all the same: it follows the server's clock. */
const RECORD_TTL_MS = 3_600_000;
const POLL_MS = 100;

const lockKey = (name: string): string => `longshore:lock:{${name}}`;

/** Locks for everybody who shares the store. `owner` must be unique per process. */
export function openLocks(store: StorePort, owner: string, clock: Clock, random: () => number): Locks {
  const held = new Map<Lease, () => Promise<unknown>>();
  const keepers = new Map<number, Keeper>();
  let serial = 0;

  const wait = (ms: number, signal: AbortSignal | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      const stop = (): void => {
        timer.cancel();
        reject(signal?.reason);
      };
      const timer = clock.setTimeout(() => {
        signal?.removeEventListener("abort", stop);
        resolve();
      }, ms);
      signal?.addEventListener("abort", stop, { once: true });
    });

  return {
    async using(name, ttlMs, work, signal) {
      const leases = openLeases(store, { times: { leaseMs: ttlMs, recordTtlMs: RECORD_TTL_MS, resultTtlS: 1 }, toRecordKey: lockKey });
      serial += 1;
      const request = { key: name, owner: `${owner}/${serial}`, fingerprint: "", mode: "at-least-once", attempt: 0, taskId: "" } as const;
      let lease: Lease | undefined;
      while (lease === undefined) {
        signal?.throwIfAborted();
        const begun = await leases.begin(request);
        if (begun.kind === "held") lease = begun.lease;
        else await wait(Math.min(begun.kind === "busy" ? begun.ms : POLL_MS, POLL_MS) * (0.5 + random()), signal);
      }
      const mine = lease;
      const giveBack = (): Promise<boolean> => leases.release(mine, { result: "", out: "" }, 0);
      held.set(mine, giveBack);
      const keeper = keepers.get(ttlMs) ?? openKeeper(leases, ttlMs, clock);
      keepers.set(ttlMs, keeper);
      const lost = new AbortController();
      using _kept = keeper.keep(mine, (reason) => lost.abort(reason));
      try {
        return await work({ signal: signal === undefined ? lost.signal : AbortSignal.any([lost.signal, signal]), fence: mine.fence });
      } finally {
        if (held.delete(mine)) await giveBack();
      }
    },
    async [Symbol.asyncDispose]() {
      for (const keeper of keepers.values()) keeper[Symbol.dispose]();
      const open = [...held.values()];
      held.clear();
      await Promise.allSettled(open.map((giveBack) => giveBack()));
    },
  };
}
