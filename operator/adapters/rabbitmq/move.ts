import type { ConfirmChannel, GetMessage } from "amqplib";
import { BrokerError } from "../ports.ts";
import type { BrokerConnection } from "./connection.ts";
import { amqpError } from "./errors.ts";

/** Messages that are on their way at a time: so many may be in both queues when the operator dies. */
const WINDOW = 100;

/**
 * Moves ready messages from one queue to another, with their properties and in their order: each is acked at the source only when the broker has
 * confirmed it at the destination. So none is lost, and one may be in both when this ends early. Resolves with how many were moved; fewer than `limit`
 * when no more were ready. Throws `BrokerError`; `missing` when the destination is not there.
 */
export async function moveMessages(connection: BrokerConnection, from: string, to: string, limit: number): Promise<number> {
  const doing = `move messages from queue ${from} to queue ${to}`;
  try {
    const channel = await (await connection.model()).createConfirmChannel();
    channel.on("error", () => undefined); // The same error rejects the call that caused it.
    let returned = false;
    channel.on("return", () => (returned = true));
    const window = async (count: number): Promise<number> => {
      const taken = await copyWindow(channel, from, to, count);
      if (returned) throw new BrokerError("missing", "amqp", `cannot ${doing}: there is no queue ${to}`);
      for (const message of taken) channel.ack(message);
      return taken.length;
    };
    try {
      let moved = 0;
      while (moved < limit) {
        const count = await window(Math.min(WINDOW, limit - moved));
        moved += count;
        if (count === 0) break;
      }
      return moved;
    } finally {
      // What was not acked goes back to its queue. A channel that failed is closed already.
      await channel.close().catch(() => undefined);
    }
  } catch (error) {
    throw amqpError(error, doing);
  }
}

/** Resolves when the broker has confirmed them all; those that it returned were told before. */
async function copyWindow(channel: ConfirmChannel, from: string, to: string, limit: number): Promise<readonly GetMessage[]> {
  const taken: GetMessage[] = [];
  while (taken.length < limit) {
    const message = await channel.get(from, { noAck: false });
    if (message === false) break;
    taken.push(message);
    // The broker checks userId against our own login, and sends one more copy to each queue in CC.
    const { headers = {}, userId: _, ...properties } = message.properties;
    const { CC: _cc, ...kept } = headers;
    channel.publish("", to, message.content, { ...properties, headers: kept, mandatory: true, persistent: properties.deliveryMode === 2 });
  }
  // Rejects when the broker refuses one of them, as a full queue with reject-publish does.
  await channel.waitForConfirms();
  return taken;
}
