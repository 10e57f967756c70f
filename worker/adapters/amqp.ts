import type { BrokerError, BrokerPort } from "../ports.ts";
import { type DelayedRoutes, reachDelayed } from "./amqp-celery-delay.ts";
import { keepConsuming } from "./amqp-consumer.ts";
import { type CreateQueues, createMissing } from "./amqp-create.ts";
import { delayLadder } from "./amqp-delay.ts";
import { replyCode } from "./amqp-errors.ts";
import { openLink } from "./amqp-link.ts";
import { openPublisher } from "./amqp-publisher.ts";

export interface AmqpOptions {
  readonly url: string;
  /** Named to the broker as `<name> consume` and `<name> publish`. */
  readonly name: string;
  readonly random?: () => number;
  /** Default no: a queue that is missing is an error. */
  readonly createQueues?: CreateQueues;
  /** Queues that Celery's native delayed delivery must reach. */
  readonly delayedRoutes?: DelayedRoutes;
  /** One call per change of a connection or subscription. */
  readonly onChange: (change: { what: string; up: boolean; error?: BrokerError }) => void;
}

/** Remembers what was said last, so that a retry every half second is told once. */
function onceEach(say: (error: BrokerError) => void): (error: BrokerError) => void {
  let last = "";
  return (error) => {
    if (error.message === last) return;
    last = error.message;
    say(error);
  };
}

/**
 * RabbitMQ (AMQP 0-9-1) as a `BrokerPort`: one connection consumes, another publishes with confirms, so that a blocked
 * publisher never stops deliveries or acks. Prefetch is per consumer: RabbitMQ 4.3 refuses the global kind.
 * Returns at once and connects in the background; throws only when the URL is not one.
 */
export function connectAmqp(options: AmqpOptions): BrokerPort {
  const random = options.random ?? Math.random;
  let closed = false;
  const tell: AmqpOptions["onChange"] = (change) => {
    if (!closed) options.onChange(change);
  };
  const link = (what: string) =>
    openLink({
      url: options.url,
      connectionName: `${options.name} ${what}`,
      random,
      onChange: (change) => tell({ what: `${what} connection`, ...change }),
    });
  const incoming = link("consume");
  const outgoing = link("publish");
  const publisher = openPublisher(outgoing);
  const publishLater = delayLadder(publisher);

  const own: BrokerPort["consume"] = (queue, prefetch, onDelivery) =>
    keepConsuming(incoming, {
      queue,
      prefetch,
      noAck: false,
      onDelivery,
      onTrouble: onceEach((error) => tell({ what: `consumer of ${queue}`, up: false, error })),
      prepare: async (channel) => {
        await channel.prefetch(prefetch, false);
        return queue;
      },
    });
  const existing = createMissing(options.createQueues ?? "no", publisher, own);
  const consume = reachDelayed(options.delayedRoutes ?? [], publisher, existing, (queue, error) =>
    tell({ what: `delayed delivery to ${queue}`, up: false, error }),
  );

  return {
    get connected() {
      return incoming.up && outgoing.up;
    },
    consume,
    subscribe(exchange, queue, key, onMessage) {
      let taken = 0;
      return keepConsuming(incoming, {
        queue,
        noAck: true,
        onDelivery: onMessage,
        onTrouble: (error) => {
          // The queue of a connection that the broker has not yet given up is locked (405): take another name until it does.
          if (replyCode(error) === 405) taken += 1;
          else tell({ what: `subscription to ${exchange.name}`, up: false, error });
        },
        prepare: async (channel) => {
          const name = taken === 0 ? queue : `${queue}.${taken}`;
          await channel.assertExchange(exchange.name, exchange.type, { durable: exchange.durable });
          await channel.assertQueue(name, { exclusive: true, durable: false, autoDelete: true });
          await channel.bindQueue(name, exchange.name, key);
          return name;
        },
      });
    },
    publish: (message) => publisher.publish(message),
    publishLater,
    async [Symbol.asyncDispose]() {
      closed = true;
      await publisher[Symbol.asyncDispose]();
      await outgoing[Symbol.asyncDispose]();
      await incoming[Symbol.asyncDispose]();
    },
  };
}
