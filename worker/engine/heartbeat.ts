import { HEARTBEAT_INTERVAL_MS, type Heartbeat } from "../contract/heartbeat.ts";
import { heartbeatsKey, type PoolName } from "../contract/names.ts";
import type { Clock, StorePort } from "../ports.ts";
import type { Tally } from "./tally.ts";

/** The pool's whole HASH goes when nobody has beaten for this long, ms. */
const HASH_TTL_MS = 60_000;
/** A pod that vanished without a goodbye is taken out of the HASH after this long by its own clock, ms: far beyond any clock skew. */
const FORGET_MS = 600_000;
/** Nobody needs to hear more often that the last slot became free, ms: a worker whose tasks come one by one would beat after each. */
const MIN_GAP_MS = 100;
/** Beats between two looks for vanished pods. */
const SWEEP_EVERY = 120;

export interface Heart extends AsyncDisposable {
  /** Beats at once, a tenth of a second after the last beat at the earliest: on a change of state, and when the last slot becomes free. */
  beatSoon(): void;
  runOnce(): Promise<void>;
}

export interface HeartDeps {
  readonly store: StorePort;
  readonly clock: Clock;
  readonly pool: PoolName;
  readonly pod: string;
  readonly boot: string;
  readonly tally: Tally;
  readonly slots: () => number;
  readonly state: () => Heartbeat["state"];
  readonly consuming: () => readonly string[];
}

/**
 * Says twice a second in the pool's Redis HASH what this worker is doing; takes its field out when it stops. Never queues beats
 * while Redis is away: each one says everything. It runs on the event loop, so a task that blocks the loop silences it.
 */
export function startHeart(deps: HeartDeps): Heart {
  const { store, clock, tally } = deps;
  const key = heartbeatsKey(deps.pool);
  let seq = 0;
  let beganAt = 0;
  let timer: { cancel(): void } | undefined;
  let inFlight: Promise<void> | undefined;
  let again = false;
  let stopped = false;

  const beat = (): Heartbeat => ({
    v: 1,
    pod: deps.pod,
    boot: deps.boot,
    seq: (seq += 1),
    at: clock.now(),
    state: deps.state(),
    consuming: [...deps.consuming()],
    slots: deps.slots(),
    busy: tally.busy,
    unacked: tally.unacked,
    finished: tally.finished,
    failed: tally.failed,
    redelivered: tally.redelivered,
    busyMs: tally.busyMs,
    waitMs: tally.waitMs,
    waited: tally.waited,
  });

  const sweep = async (): Promise<void> => {
    const all = await store.command("HGETALL", key);
    if (!Array.isArray(all)) return;
    for (let at = 0; at < all.length; at += 2) {
      const age = clock.now() - Number(/"at":(\d+)/.exec(String(all[at + 1]))?.[1] ?? Number.NaN);
      if (age > FORGET_MS) await store.command("HDEL", key, String(all[at]));
    }
  };

  const send = async (): Promise<void> => {
    await Promise.all([store.command("HSET", key, deps.pod, JSON.stringify(beat())), store.command("PEXPIRE", key, HASH_TTL_MS)]);
    if (seq % SWEEP_EVERY === 1) await sweep();
  };

  const runOnce = (): Promise<void> => {
    if (inFlight !== undefined) {
      again = true;
      return inFlight;
    }
    beganAt = clock.now();
    inFlight = send()
      // The store is closing: there is nobody to tell.
      .catch(() => {})
      .finally(() => {
        inFlight = undefined;
        if (again && !stopped) void runOnce();
        again = false;
      });
    return inFlight;
  };

  const tick = (): void => {
    timer = clock.setTimeout(() => {
      void runOnce();
      tick();
    }, HEARTBEAT_INTERVAL_MS);
  };
  void runOnce();
  tick();

  let asked: { cancel(): void } | undefined;
  return {
    runOnce,
    beatSoon() {
      if (asked !== undefined || stopped) return;
      const answer = (): void => {
        asked = undefined;
        void runOnce();
      };
      asked = clock.setTimeout(answer, Math.max(0, beganAt + MIN_GAP_MS - clock.now()));
    },
    async [Symbol.asyncDispose]() {
      stopped = true;
      timer?.cancel();
      asked?.cancel();
      if (!store.connected) return;
      await inFlight;
      await store.command("HDEL", key, deps.pod);
    },
  };
}
