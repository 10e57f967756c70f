import type { Clock } from "../runtime/clock.ts";
import type { ObjectKey } from "../runtime/object.ts";
import { LOOK_AGAIN_MS } from "./decide/debounce.ts";
import type { BrokerSensor } from "./sense/broker-sensor.ts";
import { createTurns, type LoopPool, QUICK_EVERY_MS } from "./turns.ts";

/** What only the management API knows is asked for at most this often, ms. */
const SLOWLY_EVERY_MS = 1_000;
/** Between the end of a look and the next one, ms, however long it took: the process has other things to do. */
const SHORTEST_PAUSE_MS = 50;

export interface BrokerLoopOptions {
  readonly sensor: BrokerSensor;
  /** The pools of this broker, now. */
  readonly pools: () => readonly LoopPool[];
  /** Evaluates one pool with the readings as they are, unless it may rest and does. Returns whether it wants to be looked at again soon. Never throws. */
  readonly evaluate: (
    pool: ObjectKey,
    options: { readonly mayRest: boolean },
  ) => { readonly pending: boolean; readonly acted: Promise<void> };
  readonly clock: Clock;
}

export interface BrokerLoop extends AsyncDisposable {
  /** One full look at all pools of the broker; ends when what was decided is done. */
  runOnce(): Promise<void>;
  /** Begins to look by itself. Twice is once. */
  start(): void;
}

/** Senses one broker and evaluates its pools. A slow broker delays no other, for each has its own loop; a pool that fails delays nobody. */
export function createBrokerLoop({ sensor, pools, evaluate, clock }: BrokerLoopOptions): BrokerLoop {
  const elapsed = () => clock.elapsed();
  let timer: Disposable | undefined;
  let running: Promise<unknown> | undefined;
  let stopped = false;
  let slowlyAt = Number.NEGATIVE_INFINITY;
  let pending: ReadonlySet<ObjectKey> = new Set();
  const turns = createTurns();

  const look = async (chosen: readonly LoopPool[], mayRest: boolean): Promise<readonly Promise<void>[]> => {
    await sensor.look([...new Set(chosen.flatMap(({ plan }) => plan.queues.map(({ name }) => name)))], elapsed);
    if (stopped) return [];
    const runs = chosen.map(({ key }) => ({ key, ...evaluate(key, { mayRest }) }));
    // Those of before were among the chosen, or are gone.
    pending = new Set(runs.filter((run) => run.pending).map(({ key }) => key));
    return runs.map(({ acted }) => acted);
  };

  const pass = async (): Promise<void> => {
    const all = pools();
    const now = elapsed();
    if (now - slowlyAt >= SLOWLY_EVERY_MS) {
      slowlyAt = now;
      // Slow requests never hold up the live counts.
      void sensor.lookSlowly(elapsed);
      if (all.some(({ plan }) => plan.cooperation === "none")) void sensor.lookAtPeers(elapsed);
    }
    // What is decided is done in its own time; the next look does not wait for it.
    void (await look(turns.next(all, pending, now), true));
  };

  /** Looks begin at an even pace: a look of hundreds of queues takes from the pause after it. */
  const schedule = (tookMs = 0): void => {
    if (stopped) return;
    const pause = pending.size > 0 ? LOOK_AGAIN_MS : Math.max(SHORTEST_PAUSE_MS, QUICK_EVERY_MS - tookMs);
    timer = clock.after(pause, () => {
      const began = elapsed();
      running = pass().finally(() => schedule(elapsed() - began));
    });
  };

  return {
    async runOnce() {
      const all = pools();
      const peers = all.some(({ plan }) => plan.cooperation === "none") ? sensor.lookAtPeers(elapsed) : Promise.resolve();
      await Promise.all([sensor.lookSlowly(elapsed), peers]);
      await Promise.all(await look(all, false));
    },
    start() {
      if (timer === undefined && !stopped) schedule();
    },
    async [Symbol.asyncDispose]() {
      stopped = true;
      timer?.[Symbol.dispose]();
      await running;
    },
  };
}
