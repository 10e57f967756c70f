import type { BrokerPort } from "../ports.ts";
import { DELAY_EXIT, delayTopology } from "../protocol/delay.ts";
import { brokerError } from "./amqp-errors.ts";
import type { Publisher } from "./amqp-publisher.ts";

/** Routing keys of queues that Celery's producers send tasks with an ETA to, through its own ladder in the broker. */
export type DelayedRoutes = readonly (readonly [queue: string, routingKey: string])[];

/**
 * Consumes, and makes Celery's native delayed delivery reach the queues that are named: declares its 28 exchanges and queues as every
 * Celery worker does, and binds each queue behind them. A message is routed to a queue once, however many workers bind it.
 * What the broker refuses is told, and the queue is consumed all the same.
 */
export function reachDelayed(
  routes: DelayedRoutes,
  publisher: Publisher,
  consume: BrokerPort["consume"],
  onTrouble: (queue: string, error: ReturnType<typeof brokerError>) => void,
): BrokerPort["consume"] {
  if (routes.length === 0) return consume;
  let ladder: Promise<void> | undefined;

  const declareLadder = (): Promise<void> =>
    publisher.declare(async (channel) => {
      const { exchanges, queues, bindings } = delayTopology();
      for (const { name, type, durable } of exchanges) await channel.assertExchange(name, type, { durable });
      for (const { name, durable, arguments: args } of queues) await channel.assertQueue(name, { durable, arguments: args });
      for (const { source, destination, toExchange, routingKey } of bindings) {
        if (toExchange) await channel.bindExchange(destination, source, routingKey);
        else await channel.bindQueue(destination, source, routingKey);
      }
    });

  const reach = async (queue: string, keys: readonly string[]): Promise<void> => {
    try {
      ladder ??= declareLadder();
      await ladder;
      await publisher.declare(async (channel) => {
        for (const key of keys) await channel.bindQueue(queue, DELAY_EXIT, key.startsWith("#") ? key : `#.${key}`);
      });
    } catch (error) {
      ladder = undefined;
      onTrouble(queue, brokerError(error, "Celery's native delayed delivery"));
    }
  };

  return async (queue, prefetch, onDelivery) => {
    const consumer = await consume(queue, prefetch, onDelivery);
    const keys = routes.filter(([name]) => name === queue).map(([, key]) => key);
    if (keys.length > 0) await reach(queue, keys);
    return consumer;
  };
}
