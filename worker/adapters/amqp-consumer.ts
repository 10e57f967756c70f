import type { Channel, ChannelModel, ConsumeMessage } from "amqplib";
import type { BrokerError, Consumer, Delivery } from "../ports.ts";
import { type Settle, toDelivery } from "./amqp-delivery.ts";
import { brokerError } from "./amqp-errors.ts";
import type { Link } from "./amqp-link.ts";
import { openSettler } from "./amqp-settler.ts";

/** Wait before a subscription that the broker ended (queue deleted, channel closed) is tried again, ms. */
const RETRY_MS = 500;

export interface Subscription {
  readonly queue: string;
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
  let live: { channel: Channel; tag: string } | undefined;
  let confirmed = false;
  let cancelled = false;
  let attempt = 0;
  let timer: NodeJS.Timeout | undefined;

  const consumer: Consumer = {
    queue: subscription.queue,
    async cancel() {
      cancelled = true;
      clearTimeout(timer);
      // A channel that is gone has no consumer any more.
      await live?.channel.cancel(live.tag).catch(() => {});
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
      const settle: Settle = (message, how) => {
        if (dead) return false;
        settler.settle(message, how);
        // The last settle after a cancel frees the channel; a failure to close means that it is closed.
        if ((cancelled || left) && settler.unsettled === 0) setImmediate(() => void own.close().catch(() => {}));
        return true;
      };
      const queue = await subscription.prepare(own, attempt);
      attempt += 1;
      const onMessage = (message: ConsumeMessage | null): void => {
        if (message === null) return onCancelledByBroker();
        if (!subscription.noAck) settler.taken(message);
        subscription.onDelivery(toDelivery(message, subscription.queue, subscription.noAck ? () => true : settle));
      };
      // The queue was deleted or its leader moved. What was delivered can still be settled on this channel.
      const onCancelledByBroker = (): void => {
        left = true;
        if (live?.channel === own) failed(brokerError(new Error("cancelled by the broker"), doing), model);
      };
      const { consumerTag } = await own.consume(queue, onMessage, { noAck: subscription.noAck });
      live = { channel: own, tag: consumerTag };
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
