import { randomUUID } from "node:crypto";
// The composition root of `longshore/locks`: it joins the adapter for those who only want a lock.
// oxlint-disable-next-line no-restricted-imports
import { connectRedis } from "./adapters/redis.ts";
import { type Locks, openLocks } from "./leases/lock.ts";
import { systemClock } from "./system-clock.ts";

export type { LockContext, Locks } from "./leases/lock.ts";

export interface LockOptions {
  /** redis(s)://:password@host:port/db, the pool's store or another Redis. Default CELERY_RESULT_BACKEND. */
  readonly url?: string;
  /** Told of a lost connection and of its return; the text holds no password. Default: nothing is said. */
  readonly onChange?: (change: { readonly up: boolean; readonly error?: string }) => void;
}

/**
 * Locks and semaphores in Redis, for tasks in every pool and for programs of your own. Connects in the background; dispose it to give
 * back what is held and to end the connection. Throws when the URL is not one.
 */
export function connectLocks({ url = process.env["CELERY_RESULT_BACKEND"] ?? "", onChange = () => {} }: LockOptions = {}): Locks {
  const store = connectRedis({ url, name: "longshore-locks", onChange });
  const locks = openLocks(store, randomUUID(), systemClock, Math.random);
  return {
    ...locks,
    async [Symbol.asyncDispose]() {
      await locks[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}
