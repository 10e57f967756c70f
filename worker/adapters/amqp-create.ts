import { BrokerError, type BrokerPort } from "../ports.ts";
import type { Publisher } from "./amqp-publisher.ts";

export type CreateQueues = "no" | "classic" | "quorum";

/**
 * Consumes, and creates a queue that is missing with a direct exchange of its name, bound by its name, as Celery's
 * `task_create_missing_queues` does. Never changes a queue that exists.
 */
export function createMissing(type: CreateQueues, publisher: Publisher, consume: BrokerPort["consume"]): BrokerPort["consume"] {
  if (type === "no") return consume;
  return async (queue, prefetch, onDelivery) => {
    try {
      return await consume(queue, prefetch, onDelivery);
    } catch (error) {
      if (!(error instanceof BrokerError && error.failure === "missing")) throw error;
      await publisher.declare(async (channel) => {
        await channel.assertExchange(queue, "direct", { durable: true });
        await channel.assertQueue(queue, { durable: true, ...(type === "quorum" ? { arguments: { "x-queue-type": "quorum" } } : {}) });
        await channel.bindQueue(queue, queue, queue);
      });
      return await consume(queue, prefetch, onDelivery);
    }
  };
}
