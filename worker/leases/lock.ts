import type { Clock, StorePort } from "../ports.ts";
import { type Keeper, openKeeper } from "./keeper.ts";
import { type Lease, openLeases } from "./leases.ts";
import { SCRIPTS } from "./scripts.ts";

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
  /** As `using`, for at most `places` holders at a time. All callers of one name must say the same number. */
  limited<T>(name: string, places: number, ttlMs: number, work: (held: LockContext) => Promise<T>, signal?: AbortSignal): Promise<T>;
}

/** Something that is held for a while: how to take it, keep it, and give it back. */
interface Holding {
  /** A lease, or how long somebody else's lasts at least, ms. */
  take(): Promise<Lease | number>;
  renew(lease: Lease): Promise<boolean>;
  giveBack(lease: Lease): Promise<unknown>;
}

/** Where the fence of a lock is remembered after its last use, ms. A later one is greater all the same: it follows the server's clock. */
const RECORD_TTL_MS = 3_600_000;
const POLL_MS = 100;

function lockOf(store: StorePort, name: string, owner: string, ttlMs: number): Holding {
  const times = { leaseMs: ttlMs, recordTtlMs: RECORD_TTL_MS + ttlMs, resultTtlS: 1 };
  const leases = openLeases(store, { times, toRecordKey: (key) => `longshore:lock:{${key}}` });
  return {
    renew: (lease) => leases.renew(lease),
    async take() {
      const begun = await leases.begin({ key: name, owner, fingerprint: "", mode: "at-least-once", attempt: 0, taskId: "" });
      if (begun.kind === "held") return begun.lease;
      return begun.kind === "busy" ? begun.ms : POLL_MS;
    },
    giveBack: (lease) => leases.release(lease, { result: "", out: "" }, 0),
  };
}

function placeOf(store: StorePort, name: string, places: number, owner: string, ttlMs: number): Holding {
  if (!Number.isSafeInteger(places) || places < 1) throw new RangeError(`places is ${places}, expected a whole number from 1`);
  const key = `longshore:semaphore:{${name}}`;
  const keep = RECORD_TTL_MS + ttlMs;
  return {
    async take() {
      const reply = await store.run(SCRIPTS.semaphoreTake, [key, `${key}:fence`], [owner, places, ttlMs, keep]);
      const [taken, value] = Array.isArray(reply) ? (reply as readonly unknown[]) : [];
      return taken === 1 ? { key: name, fence: String(value), how: "run" } : Number(value);
    },
    renew: async () => (await store.run(SCRIPTS.semaphoreRenew, [key], [owner, ttlMs, keep])) === 1,
    giveBack: () => store.command("ZREM", key, owner),
  };
}

/** Locks and semaphores for everybody who shares the store. `owner` must be unique per process. */
export function openLocks(store: StorePort, owner: string, clock: Clock, random: () => number): Locks {
  const held = new Map<Lease, Holding>();
  const keepers = new Set<Keeper>();
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

  const hold = async <T>(
    holding: Holding,
    ttlMs: number,
    work: (held: LockContext) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> => {
    let taken: Lease | number = 0;
    for (;;) {
      signal?.throwIfAborted();
      taken = await holding.take();
      if (typeof taken !== "number") break;
      await wait(Math.min(taken, POLL_MS) * (0.5 + random()), signal);
    }
    const mine = taken;
    held.set(mine, holding);
    const keeper = openKeeper(holding, ttlMs, clock);
    keepers.add(keeper);
    const lost = new AbortController();
    using _kept = keeper.keep(mine, (reason) => lost.abort(reason));
    try {
      return await work({ signal: signal === undefined ? lost.signal : AbortSignal.any([lost.signal, signal]), fence: mine.fence });
    } finally {
      keeper[Symbol.dispose]();
      keepers.delete(keeper);
      if (held.delete(mine)) await holding.giveBack(mine);
    }
  };

  const nextOwner = (): string => `${owner}/${(serial += 1)}`;
  return {
    using: (name, ttlMs, work, signal) => hold(lockOf(store, name, nextOwner(), ttlMs), ttlMs, work, signal),
    limited: async (name, places, ttlMs, work, signal) => await hold(placeOf(store, name, places, nextOwner(), ttlMs), ttlMs, work, signal),
    async [Symbol.asyncDispose]() {
      for (const keeper of keepers) keeper[Symbol.dispose]();
      const open = [...held];
      held.clear();
      await Promise.allSettled(open.map(([lease, holding]) => holding.giveBack(lease)));
    },
  };
}
