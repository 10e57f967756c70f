import type { Clock } from "../runtime/clock.ts";
import type { ObjectKey } from "../runtime/object.ts";
import type { BrokerSensor } from "./broker-sensor.ts";
import { LOOK_AGAIN_MS } from "./debounce.ts";
import type { PoolPlan } from "./policy.ts";

/** Every pool is looked at this often, ms; those that may grow at once more often. */
const FULL_EVERY_MS = 1_000;
const QUICK_EVERY_MS = 200;
/** Most queues of one quick look: more would cost the broker more than they are worth. They take turns. */
const QUICK_QUEUES = 400;

/** A pool of one broker, as the loop sees it. */
export interface LoopPool {
  readonly key: ObjectKey;
  readonly plan: PoolPlan;
  /** It may grow, and is not there yet. */
  readonly mayGrow: boolean;
}

export interface BrokerLoopOptions {
  readonly sensor: BrokerSensor;
  /** The pools of this broker, now. */
  readonly pools: () => readonly LoopPool[];
  /** Evaluates one pool with the readings as they are. Returns whether it wants to be looked at again soon. Never throws. */
  readonly evaluate: (pool: ObjectKey) => { readonly pending: boolean; readonly acted: Promise<void> };
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
  let lastFull = Number.NEGATIVE_INFINITY;
  let pending: ReadonlySet<ObjectKey> = new Set();
  let turn = 0;

  /** Pools of which a burst is arriving first, then those that may grow, in turns. */
  const quick = (all: readonly LoopPool[]): readonly LoopPool[] => {
    const chosen = all.filter(({ key }) => pending.has(key));
    const others = all.filter(({ key, mayGrow }) => mayGrow && !pending.has(key));
    let queues = chosen.reduce((sum, { plan }) => sum + plan.queues.length, 0);
    for (let taken = 0; taken < others.length; taken++) {
      const next = others[(turn + taken) % others.length];
      if (next === undefined || queues + next.plan.queues.length > QUICK_QUEUES) {
        turn += taken;
        break;
      }
      queues += next.plan.queues.length;
      chosen.push(next);
    }
    return chosen;
  };

  const look = async (chosen: readonly LoopPool[]): Promise<readonly Promise<void>[]> => {
    await sensor.look([...new Set(chosen.flatMap(({ plan }) => plan.queues.map(({ name }) => name)))], elapsed);
    if (stopped) return [];
    const runs = chosen.map(({ key }) => ({ key, ...evaluate(key) }));
    const looked = new Set(chosen.map(({ key }) => key));
    pending = new Set([...runs.filter((run) => run.pending).map(({ key }) => key), ...[...pending].filter((key) => !looked.has(key))]);
    return runs.map(({ acted }) => acted);
  };

  const pass = async (): Promise<void> => {
    const all = pools();
    const isFull = elapsed() - lastFull >= FULL_EVERY_MS;
    if (isFull) {
      lastFull = elapsed();
      // Slow requests never hold up the live counts.
      void sensor.lookSlowly(elapsed);
      if (all.some(({ plan }) => plan.cooperation === "none")) void sensor.lookAtPeers(elapsed);
    }
    // What is decided is done in its own time; the next look does not wait for it.
    void (await look(isFull ? all : quick(all)));
  };

  const schedule = (): void => {
    if (stopped) return;
    timer = clock.after(pending.size > 0 ? LOOK_AGAIN_MS : QUICK_EVERY_MS, () => {
      running = pass().finally(schedule);
    });
  };

  return {
    async runOnce() {
      const all = pools();
      const peers = all.some(({ plan }) => plan.cooperation === "none") ? sensor.lookAtPeers(elapsed) : Promise.resolve();
      await Promise.all([sensor.lookSlowly(elapsed), peers]);
      await Promise.all(await look(all));
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
