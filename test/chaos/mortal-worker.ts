import { openChords } from "../../worker/chords/chords.ts";
import { type AttemptDeps, attempt } from "../../worker/engine/attempt.ts";
import { newScheduled } from "../../worker/engine/scheduled.ts";
import { Stopper } from "../../worker/engine/stopper.ts";
import { openTaskSettings } from "../../worker/engine/task-settings.ts";
import { openGlobalRates } from "../../worker/leases/global-rates.ts";
import { openKeeper } from "../../worker/leases/keeper.ts";
import { LEASE_TIMES, openLeases } from "../../worker/leases/leases.ts";
import { asyncPool } from "../../worker/pools/async.ts";
import type { BrokerPort, Delivery, StorePort } from "../../worker/ports.ts";
import { systemClock } from "../../worker/system-clock.ts";
import type { Task } from "../../worker/tasks/define-task.ts";
import { createRecordingLog } from "../fakes/log.ts";

/** One process that may end, as by kill -9, before or after anything that it asks of others. */
export interface Life {
  /** Does it, or dies before or after; who waits for a dead one waits for ever, so that nothing of it goes on. */
  step<T>(work: () => Promise<T>): Promise<T>;
  readonly alive: boolean;
}

export interface MortalWorker {
  readonly life: Life;
  /** The engine's own attempt. Rejects only where the engine does. */
  take(delivery: Delivery): Promise<void>;
}

export interface Mortality {
  readonly store: StorePort;
  readonly broker: BrokerPort;
  readonly leaseMs: number;
  readonly mayDie: () => boolean;
  readonly onDeath: () => void;
  readonly random: () => number;
  readonly owner: string;
  readonly tasks: (life: Life) => readonly Task[];
}

const never = new Promise<never>(() => {});

function newLife(mayDie: () => boolean, onDeath: () => void): Life {
  let alive = true;
  const mayEnd = (): void => {
    if (!alive || !mayDie()) return;
    alive = false;
    onDeath();
  };
  return {
    get alive() {
      return alive;
    },
    async step(work) {
      mayEnd();
      if (!alive) return await never;
      const done = await work();
      mayEnd();
      return alive ? done : await never;
    },
  };
}

/** The worker's engine over ports that may die. All but its process is real: leases and results lie in a real Redis. */
export function startMortalWorker({ store, broker, leaseMs, mayDie, onDeath, random, owner, tasks }: Mortality): MortalWorker {
  const life = newLife(mayDie, () => {
    keeper[Symbol.dispose]();
    onDeath();
  });
  const mortalStore: StorePort = {
    ...store,
    connected: true,
    clustered: false,
    run: (script, keys, args) => life.step(() => store.run(script, keys, args)),
    read: (keys) => life.step(() => store.read(keys)),
    command: (name, ...args) => life.step(() => store.command(name, ...args)),
  };
  const mortalBroker: BrokerPort = {
    ...broker,
    connected: true,
    publish: (message) => life.step(() => broker.publish(message)),
    publishLater: (message, ms) => life.step(() => broker.publishLater(message, ms)),
  };
  const leases = openLeases(mortalStore, { times: { ...LEASE_TIMES, leaseMs, recordTtlMs: 300_000, resultTtlS: 300 } });
  const keeper = openKeeper(leases, leaseMs, systemClock);
  const known = new Map(tasks(life).map((task) => [task.name, task]));
  let serial = 0;
  const nothing = (): void => {};
  const deps: AttemptDeps = {
    pool: asyncPool(),
    broker: mortalBroker,
    leases,
    chords: openChords(mortalStore, systemClock, 300),
    rpc: false,
    keeper,
    acks: { late: true, onFailureOrTimeout: true },
    globalRates: openGlobalRates(mortalStore),
    deliveryLimit: 0,
    hostname: owner,
    rows: { started: undefined, extend: (result) => result },
    tasks: known,
    clock: systemClock,
    random,
    log: createRecordingLog(),
    observer: { received: nothing, started: nothing, ended: nothing, malformed: nothing },
    scheduled: newScheduled(systemClock),
    settings: openTaskSettings(known),
    isRevoked: () => false,
    nextOwner: () => `${owner}/${(serial += 1)}`,
  };
  return { life, take: (delivery) => attempt({ delivery, control: new Stopper() }, deps) };
}
