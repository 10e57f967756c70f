import type { Channel, ChannelModel, ConsumeMessage } from "amqplib";
import type { BrokerError, Consumer, Delivery } from "../ports.ts";
import { type Settle, toDelivery } from "./amqp-delivery.ts";
import { brokerError } from "./amqp-errors.ts";
import type { Link } from "./amqp-link.ts";
import { createLull } from "./amqp-lull.ts";
import { openSettler } from "./amqp-settler.ts";

/** Wait before a subscription that the broker ended (queue deleted, channel closed) is tried again, ms. */
const RETRY_MS = 500;

export interface Subscription {
  readonly queue: string;
  /** Messages that the consumer may hold; absent: as many as there are. */
  readonly prefetch?: number;
  /** Prepares the fresh channel: prefetch, or a private queue and its binding. Returns the queue to consume. */
  readonly prepare: (channel: Channel, attempt: number) => Promise<string>;
  readonly noAck: boolean;
  readonly onDelivery: (delivery: Delivery) => void;
  readonly onTrouble: (error: BrokerError) => void;
}

/**
 * Keeps one subscription alive on a link: a channel of its own, so that one queue's error never touches another's.
 * Resolves when the broker confirmed the first subscription; rejects, and gives up, when that was refused or the queue is missing.
 */
export function keepConsuming(link: Link, subscription: Subscription): Promise<Consumer> {
  const { promise, resolve, reject } = Promise.withResolvers<Consumer>();
  const doing = `consuming from "${subscription.queue}"`;
  let connection: ChannelModel | undefined;
  let live: { channel: Channel; end(): Promise<void> } | undefined;
  let confirmed = false;
  let cancelled = false;
  let attempt = 0;
  let timer: NodeJS.Timeout | undefined;

  const consumer: Consumer = {
    queue: subscription.queue,
    async cancel() {
      cancelled = true;
      clearTimeout(timer);
      await live?.end();
    },
  };

  const failed = (error: BrokerError, model: ChannelModel): void => {
    live = undefined;
    if (cancelled) return;
    if (!confirmed && !error.passing) {
      cancelled = true;
      return reject(error);
    }
    subscription.onTrouble(error);
    timer = setTimeout(() => void start(model), RETRY_MS);
  };

  const start = async (model: ChannelModel): Promise<void> => {
    if (cancelled || !link.up || model !== connection) return;
    let channel: Channel | undefined;
    let dead = false;
    let left = false;
    const lull = createLull(subscription.prefetch ?? 0);
    try {
      channel = await model.createChannel();
      const own = channel;
      let reason: unknown = new Error("the channel was closed");
      own.on("error", (error) => (reason = error));
      own.on("close", () => {
        dead = true;
        if (live?.channel === own) failed(brokerError(reason, doing), model);
      });
      const settler = openSettler(own);
      const freeChannel = (): void => {
        // After what was settled has left; a failure to close means that it is closed.
        if (left && settler.unsettled === 0) setImmediate(() => void own.close().catch(() => {}));
      };
      const settle: Settle = (message, how) => {
        if (dead) return false;
        settler.settle(message, how);
        lull.settled();
        freeChannel();
        return true;
      };
      /** Nothing more comes: not before the broker has said so, for a channel that closes gives back what is on its way. */
      const closeWhenSettled = (): void => {
        left = true;
        freeChannel();
      };
      const queue = await subscription.prepare(own, attempt);
      attempt += 1;
      const onMessage = (message: ConsumeMessage | null): void => {
        if (message === null) return onCancelledByBroker();
        if (!subscription.noAck) {
          settler.taken(message);
          lull.taken();
        }
        subscription.onDelivery(toDelivery(message, subscription.queue, subscription.noAck ? () => true : settle));
      };
      // The queue was deleted or its leader moved. What was delivered can still be settled on this channel.
      const onCancelledByBroker = (): void => {
        if (live?.channel === own) failed(brokerError(new Error("cancelled by the broker"), doing), model);
        closeWhenSettled();
      };
      const { consumerTag } = await own.consume(queue, onMessage, { noAck: subscription.noAck });
      let ending: Promise<void> | undefined;
      // A channel that is gone has no consumer any more.
      const cancel = (): Promise<void> => own.cancel(consumerTag).then(closeWhenSettled, () => {});
      const end = (): Promise<void> => new Promise((done) => lull.await(() => void cancel().then(done)));
      live = { channel: own, end: () => (ending ??= end()) };
      confirmed = true;
      resolve(consumer);
      if (cancelled) await consumer.cancel();
    } catch (error) {
      attempt += 1;
      // It is closed already when the error came from the broker.
      if (!dead) await channel?.close().catch(() => {});
      failed(brokerError(error, doing), model);
    }
  };

  link.onUp((model) => {
    connection = model;
    clearTimeout(timer);
    void start(model);
  });
  return promise;
}
