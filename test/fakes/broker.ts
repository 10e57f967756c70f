import { BrokerError, type BrokerPort, type Consumer, type Delivery, type Publication } from "../../worker/ports.ts";

interface Queued {
  readonly message: Publication;
  readonly redelivered: boolean;
}

/** A broker in memory, with what a test may look at. Exchange "" leads to the queue of that name; others collect in `published`. */
export interface MemoryBroker extends BrokerPort {
  readonly queues: ReadonlyMap<string, Queued[]>;
  readonly published: Publication[];
  readonly dropped: Delivery[];
  /** Takes the next message, unacked until it is settled. */
  take(queue: string): Delivery | undefined;
  /** Waits that `publishLater` was asked for, ms. */
  readonly delays: number[];
}

/** Starts with empty queues of these names. Delays are cut to `delayMs`, so that tests do not wait. */
export function memoryBroker(names: readonly string[], delayMs = 0): MemoryBroker {
  const queues = new Map<string, Queued[]>(names.map((name) => [name, []]));
  const consumers = new Map<string, (delivery: Delivery) => void>();
  const published: Publication[] = [];
  const dropped: Delivery[] = [];
  const delays: number[] = [];

  const pump = (queue: string): void => {
    const consumer = consumers.get(queue);
    if (consumer === undefined) return;
    for (let delivery = take(queue); delivery !== undefined; delivery = take(queue)) consumer(delivery);
  };

  const put = (queue: string, entry: Queued, atFront = false): void => {
    const entries = queues.get(queue);
    if (entries === undefined) return;
    if (atFront) entries.unshift(entry);
    else entries.push(entry);
    pump(queue);
  };

  const take = (queue: string): Delivery | undefined => {
    const entry = queues.get(queue)?.shift();
    if (entry === undefined) return undefined;
    let settled = false;
    const { message, redelivered } = entry;
    const settle = (then: () => void): boolean => {
      if (settled) throw new Error("settled twice");
      settled = true;
      then();
      return true;
    };
    const delivery: Delivery = {
      queue,
      exchange: message.exchange,
      routingKey: message.routingKey,
      redelivered,
      properties: message.properties,
      body: message.body,
      ack: () => settle(() => {}),
      reject: (requeue) => settle(() => (requeue ? put(queue, { message, redelivered: true }, true) : dropped.push(delivery))),
    };
    return delivery;
  };

  const broker: MemoryBroker = {
    queues,
    published,
    dropped,
    delays,
    take,
    connected: true,
    async consume(queue, _prefetch, onDelivery): Promise<Consumer> {
      if (!queues.has(queue)) throw new BrokerError("missing", `no queue '${queue}'`);
      consumers.set(queue, onDelivery);
      pump(queue);
      return {
        queue,
        async cancel() {
          consumers.delete(queue);
        },
      };
    },
    async publish(message) {
      published.push(message);
      if (message.exchange === "") put(message.routingKey, { message, redelivered: false });
    },
    async publishLater(message, ms) {
      delays.push(ms);
      published.push(message);
      setTimeout(() => put(message.routingKey, { message, redelivered: false }), Math.min(ms, delayMs));
    },
    async subscribe(_exchange, queue): Promise<Consumer> {
      return { queue, async cancel() {} };
    },
    async [Symbol.asyncDispose]() {},
  };
  return broker;
}
