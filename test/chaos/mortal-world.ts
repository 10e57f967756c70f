import type { BrokerPort, Delivery, Publication, StorePort } from "../../worker/ports.ts";
import type { Task } from "../../worker/tasks/define-task.ts";
import { memoryBroker } from "../fakes/broker.ts";
import { type Life, type MortalWorker, startMortalWorker } from "./mortal-worker.ts";

export interface WorldOptions {
  readonly store: StorePort;
  readonly random: () => number;
  readonly leaseMs: number;
  /** How many workers may die in all: without an end nothing would ever be done. */
  readonly deaths: number;
  readonly name: string;
  readonly tasks: (life: Life) => readonly Task[];
}

export interface World {
  send(message: Publication): void;
  /** Resolves once no message waits, is put off, or is unacked. Rejects with what the engine threw. */
  readonly quiet: Promise<void>;
  readonly died: () => number;
}

const WORKERS = 2;
/** Chance of a death at each step, and of a delivery whose connection is lost while it is worked on. */
const DEATH = 0.06;
const CUT = 0.15;

/**
 * Two workers and a queue. Workers die at any step and are replaced; what they held comes back as redelivered. Connections are lost too:
 * the message comes back while the first worker goes on with it, and its ack counts no more.
 */
export function openWorld({ store, random, leaseMs, deaths, name, tasks }: WorldOptions): World {
  const workers: MortalWorker[] = [];
  const held = new Map<MortalWorker, Set<() => void>>();
  const quiet = Promise.withResolvers<void>();
  let pending = 0;
  let died = 0;
  let born = 0;

  const settle = (): void => {
    pending -= 1;
    if (pending === 0) quiet.resolve();
  };
  const put = (message: Publication, redelivered: boolean, delayMs: number): void => {
    pending += 1;
    setTimeout(() => deliver(message, redelivered), delayMs);
  };
  const broker: BrokerPort = {
    ...memoryBroker([]),
    publish: async (message) => put(message, false, random() * 5),
    publishLater: async (message, ms) => put(message, false, Math.min(ms, leaseMs * 2)),
  };
  const start = (): MortalWorker => {
    born += 1;
    const worker: MortalWorker = startMortalWorker({
      store,
      broker,
      leaseMs,
      random,
      tasks,
      owner: `${name}-${born}`,
      mayDie: () => died < deaths && random() < DEATH,
      onDeath() {
        died += 1;
        workers.splice(workers.indexOf(worker), 1, start());
        for (const takeBack of held.get(worker) ?? []) takeBack();
      },
    });
    held.set(worker, new Set());
    return worker;
  };

  function deliver(message: Publication, redelivered: boolean): void {
    const worker = workers[Math.floor(random() * workers.length)];
    if (worker === undefined) throw new Error("no worker");
    const mine = held.get(worker) ?? new Set();
    let settled = false;
    const once = (then: () => void): boolean => {
      if (settled || !worker.life.alive) return false;
      settled = true;
      mine.delete(takeBack);
      then();
      settle();
      return true;
    };
    const takeBack = (): void => {
      if (settled) return;
      settled = true;
      mine.delete(takeBack);
      put(message, true, random() * 5);
      settle();
    };
    mine.add(takeBack);
    if (random() < CUT) setTimeout(takeBack, random() * leaseMs * 1.5);
    const delivery: Delivery = {
      queue: message.routingKey,
      exchange: message.exchange,
      routingKey: message.routingKey,
      redelivered,
      properties: message.properties,
      body: message.body,
      ack: () => once(() => {}),
      reject: (requeue) => once(() => (requeue ? put(message, true, 1) : undefined)),
    };
    worker.take(delivery).catch(quiet.reject);
  }

  for (let count = 0; count < WORKERS; count += 1) workers.push(start());
  return { send: (message) => put(message, false, random() * 20), quiet: quiet.promise, died: () => died };
}
