import type { Clock, Delivery } from "../ports.ts";
import type { Running } from "./attempt.ts";
import { Stopper } from "./stopper.ts";
import type { Tally } from "./tally.ts";

export interface Executor {
  /** Runs it in a free slot, or keeps it until one is free. */
  accept(delivery: Delivery): void;
  readonly running: ReadonlySet<Running>;
  readonly waiting: readonly Delivery[];
  /** From now on nothing starts: what waits, and what still comes, goes back to the queue. */
  close(): void;
  /** Resolves when no slot is busy. */
  idle(): Promise<void>;
  /** Tells every running task to stop. */
  abort(reason: Error): void;
  /** Slots may change while it runs. */
  slots: number;
}

export interface ExecutorDeps {
  readonly attempt: (running: Running) => Promise<void>;
  readonly tally: Tally;
  readonly clock: Clock;
  /** Told when `busy` falls to 0, and on what `attempt` threw. */
  readonly onIdle: () => void;
  readonly onTrouble: (error: unknown, delivery: Delivery) => void;
}

const TROUBLE_PAUSE_MS = 1_000;

/** Concurrent slots over deliveries, first come, first served. Never settles a delivery that `attempt` has taken. */
export function openExecutor(slots: number, deps: ExecutorDeps): Executor {
  const { tally } = deps;
  const running = new Set<Running>();
  let waiting: Delivery[] = [];
  let closed = false;
  const idlers: (() => void)[] = [];

  const start = async (delivery: Delivery): Promise<void> => {
    const slot: Running = { delivery, control: new Stopper() };
    running.add(slot);
    tally.busy = running.size;
    try {
      await deps.attempt(slot);
    } catch (error) {
      // The store or the broker refuses for good: the message goes back after a pause, or it would spin.
      deps.onTrouble(error, delivery);
      await new Promise<void>((resolve) => void deps.clock.setTimeout(resolve, TROUBLE_PAUSE_MS));
      slot.delivery.reject(true);
    }
    running.delete(slot);
    tally.busy = running.size;
    tally.unacked -= 1;
    next();
  };

  const next = (): void => {
    while (!closed && running.size < executor.slots) {
      const delivery = waiting.shift();
      if (delivery === undefined) break;
      void start(delivery);
    }
    if (running.size > 0) return;
    deps.onIdle();
    for (const idle of idlers.splice(0)) idle();
  };

  const executor: Executor = {
    slots,
    running,
    get waiting() {
      return waiting;
    },
    accept(delivery) {
      if (delivery.redelivered) tally.redelivered += 1;
      if (closed) return void delivery.reject(true);
      tally.unacked += 1;
      if (running.size < executor.slots) void start(delivery);
      else waiting.push(delivery);
    },
    close() {
      closed = true;
      for (const delivery of waiting) delivery.reject(true);
      tally.unacked -= waiting.length;
      waiting = [];
    },
    idle: () => (running.size === 0 ? Promise.resolve() : new Promise((resolve) => void idlers.push(resolve))),
    abort(reason) {
      for (const { control } of running) control.abort(reason);
    },
  };
  return executor;
}
