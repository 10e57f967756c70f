import type { Clock } from "../ports.ts";
import type { Lease } from "./leases.ts";

/** The lease is no longer this worker's: another may run the same work now. */
export class LeaseLost extends Error {
  override readonly name = "LeaseLost";
}

export interface Keeper extends Disposable {
  /** Renews the lease from now on, until the returned handle is disposed. `onLost` is told when it was taken over, or could not be renewed until it ran out. */
  keep(lease: Lease, onLost: (reason: LeaseLost) => void): Disposable;
  /** Renews what is due. The timer calls it; tests may. */
  runOnce(): Promise<void>;
}

interface Entry {
  readonly lease: Lease;
  readonly onLost: (reason: LeaseLost) => void;
  renewedAt: number;
  asking: boolean;
}

/**
 * Renews every held lease at a third of its length, all with one timer. It runs in the caller's thread: a task that blocks the
 * event loop for longer than a lease may find itself taken over, and its result thrown away; use a pool of threads for such tasks.
 */
export function openKeeper(leases: { renew(lease: Lease): Promise<boolean> }, leaseMs: number, clock: Clock): Keeper {
  const entries = new Set<Entry>();
  let timer: { cancel(): void } | undefined;

  const lose = (entry: Entry, why: string): void => {
    entries.delete(entry);
    entry.onLost(new LeaseLost(`the lease of ${entry.lease.key} ${why}`));
  };

  const renew = async (entry: Entry): Promise<void> => {
    const askedAt = clock.now();
    entry.asking = true;
    try {
      const held = await leases.renew(entry.lease);
      if (!held && entries.has(entry)) lose(entry, "was taken over");
      entry.renewedAt = askedAt;
    } catch {
      // The store refused or is closing: the lease runs out by itself, and `runOnce` says so.
    } finally {
      entry.asking = false;
    }
  };

  const runOnce = async (): Promise<void> => {
    const now = clock.now();
    const due: Promise<void>[] = [];
    for (const entry of entries) {
      const age = now - entry.renewedAt;
      if (age >= leaseMs && entry.asking) lose(entry, "could not be renewed in time");
      else if (age >= leaseMs / 3 && !entry.asking) due.push(renew(entry));
    }
    await Promise.all(due);
  };

  const tick = (): void => {
    timer = clock.setTimeout(() => {
      void runOnce();
      tick();
    }, leaseMs / 6);
  };

  return {
    runOnce,
    keep(lease, onLost) {
      const entry: Entry = { lease, onLost, renewedAt: clock.now(), asking: false };
      entries.add(entry);
      if (timer === undefined) tick();
      return { [Symbol.dispose]: () => void entries.delete(entry) };
    },
    [Symbol.dispose]() {
      timer?.cancel();
      timer = undefined;
      entries.clear();
    },
  };
}
