import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { connectLocks } from "longshore/locks";

export interface EveryReplica {
  /** The Redis of your Store, with its login. */
  readonly url: string;
  readonly name: string;
  readonly periodMs: number;
  readonly signal: AbortSignal;
}

/** Runs in every replica of an API, without a leader: `work` is done once per period, by whichever replica gets the lock first. */
export async function everyReplica({ url, name, periodMs, signal }: EveryReplica, work: (due: Date, signal: AbortSignal) => Promise<void>) {
  await using locks = connectLocks({ url });
  const redis = new Redis(url);
  try {
    while (!signal.aborted) {
      const due = Math.floor(Date.now() / periodMs) * periodMs;
      await locks.using(name, 30_000, async (held) => {
        // The lock alone does not fire once: whoever waits gets it next. So look, then do, then write down.
        if (Number(await redis.get(`${name}:done`)) >= due) return;
        await work(new Date(due), held.signal);
        await redis.set(`${name}:done`, due, "EX", 86_400);
      });
      await sleep(due + periodMs - Date.now(), undefined, { signal }).catch(() => undefined);
    }
  } finally {
    redis.disconnect();
  }
}
