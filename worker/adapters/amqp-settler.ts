import type { Channel, ConsumeMessage } from "amqplib";

export interface Settler {
  /** Messages that were taken and not settled. */
  readonly unsettled: number;
  taken(message: ConsumeMessage): void;
  /** Settles a message that was taken. Acknowledgements go out at the end of the moment, several in one frame where they can. */
  settle(message: ConsumeMessage, how: "ack" | "requeue" | "reject"): void;
}

/**
 * Settles the messages of one channel. What is acknowledged together, and has nothing unsettled before it, is one frame for all of it:
 * half of the broker's work per message is the frame. Never acknowledges a message that was not settled; never throws.
 */
export function openSettler(channel: Pick<Channel, "ack" | "reject">): Settler {
  /** In the order of delivery, which is that of the tags. */
  const open = new Set<number>();
  let acked: ConsumeMessage[] = [];

  const on = (operation: () => void): void => {
    try {
      operation();
    } catch {
      // amqplib throws once the channel is closing: the broker takes the message back by itself.
    }
  };
  const tag = (message: ConsumeMessage): number => message.fields.deliveryTag;

  const flush = (): void => {
    const messages = acked.sort((a, b) => tag(a) - tag(b));
    acked = [];
    const [oldest = Number.POSITIVE_INFINITY] = open;
    let together = 0;
    while (together < messages.length && tag(messages[together] as ConsumeMessage) < oldest) together += 1;
    const last = messages[together - 1];
    if (last !== undefined) on(() => channel.ack(last, together > 1));
    for (const message of messages.slice(together)) on(() => channel.ack(message));
  };

  return {
    get unsettled() {
      return open.size;
    },
    taken: (message) => void open.add(tag(message)),
    settle(message, how) {
      open.delete(tag(message));
      if (how !== "ack") return on(() => channel.reject(message, how === "requeue"));
      if (acked.length === 0) queueMicrotask(flush);
      acked.push(message);
    },
  };
}
