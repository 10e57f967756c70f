import { randomUUID } from "node:crypto";
import type { Channel, ChannelModel, ConsumeMessage } from "amqplib";
import { type ControlRequest, PIDBOX_EXCHANGE, PIDBOX_REPLY_EXCHANGE } from "../../../worker/contract/control.ts";
import type { RemoteControlPort } from "../ports.ts";

interface Asked {
  readonly waitingFor: Set<string>;
  readonly replies: Map<string, unknown>;
  readonly done: () => void;
}

interface Mailbox {
  readonly channel: Channel;
  readonly replyTo: string;
}

/**
 * Celery's remote control: asks on the fanout exchange `celery.pidbox`, is answered through the direct exchange `reply.celery.pidbox` on an
 * exclusive queue (RabbitMQ 4.3 refuses transient queues that are not). Source: kombu/pidbox.py.
 * @param connection the live connection; asked for on each call, so that it may have been replaced meanwhile
 */
export function createRemoteControl(connection: () => Promise<ChannelModel>): RemoteControlPort {
  const asked = new Map<string, Asked>();
  let mailbox: { readonly of: ChannelModel; readonly open: Promise<Mailbox> } | undefined;

  const onReply = (message: ConsumeMessage | null): void => {
    const ticket: unknown = message?.properties.headers?.["ticket"];
    const request = typeof ticket === "string" ? asked.get(ticket) : undefined;
    if (message === null || request === undefined) return;
    for (const [node, reply] of Object.entries(parse(message.content))) {
      if (!request.waitingFor.delete(node)) continue;
      request.replies.set(node, reply);
    }
    if (request.waitingFor.size === 0) request.done();
  };

  const open = async (model: ChannelModel): Promise<Mailbox> => {
    const channel = await model.createChannel();
    const forget = () => {
      if (mailbox?.of === model) mailbox = undefined;
    };
    // Whoever waits for an answer is told by the time-out; without a listener the error would end the process.
    channel.on("error", forget);
    channel.on("close", forget);
    await channel.assertExchange(PIDBOX_EXCHANGE, "fanout", { durable: false });
    await channel.assertExchange(PIDBOX_REPLY_EXCHANGE, "direct", { durable: false });
    const replyTo = randomUUID();
    const queue = `${replyTo}.${PIDBOX_REPLY_EXCHANGE}`;
    await channel.assertQueue(queue, { durable: false, exclusive: true, autoDelete: true, expires: 60_000 });
    await channel.bindQueue(queue, PIDBOX_REPLY_EXCHANGE, replyTo);
    await channel.consume(queue, onReply, { noAck: true, exclusive: true });
    return { channel, replyTo };
  };

  const current = async (): Promise<Mailbox> => {
    const model = await connection();
    if (mailbox?.of !== model) {
      const opening = { of: model, open: open(model) };
      mailbox = opening;
      opening.open.catch(() => {
        // The caller gets the error from the same promise; the next call opens anew.
        if (mailbox === opening) mailbox = undefined;
      });
    }
    return await mailbox.open;
  };

  return {
    async ask(method, args, destination, timeoutMs) {
      if (destination.length === 0) return new Map();
      const { channel, replyTo } = await current();
      const ticket = randomUUID();
      const finished = Promise.withResolvers<void>();
      const request: Asked = { waitingFor: new Set(destination), replies: new Map(), done: finished.resolve };
      asked.set(ticket, request);
      const timer = setTimeout(finished.resolve, timeoutMs);
      try {
        const body: ControlRequest = {
          method,
          arguments: args,
          destination: [...destination],
          pattern: null,
          matcher: null,
          ticket,
          reply_to: { exchange: PIDBOX_REPLY_EXCHANGE, routing_key: replyTo },
        };
        channel.publish(PIDBOX_EXCHANGE, "", Buffer.from(JSON.stringify(body)), {
          contentType: "application/json",
          contentEncoding: "utf-8",
          deliveryMode: 1,
          expiration: String(timeoutMs),
          headers: { clock: 1, expires: Date.now() / 1_000 + timeoutMs / 1_000 },
        });
        await finished.promise;
        return request.replies;
      } finally {
        clearTimeout(timer);
        asked.delete(ticket);
      }
    },
    async [Symbol.asyncDispose]() {
      const opened = mailbox;
      mailbox = undefined;
      for (const { done } of asked.values()) done();
      try {
        await (await opened?.open)?.channel.close();
      } catch {
        // The connection is gone already, and the exclusive queue with it.
      }
    },
  };
}

function parse(content: Buffer): object {
  try {
    const reply: unknown = JSON.parse(content.toString("utf8"));
    return typeof reply === "object" && reply !== null ? reply : {};
  } catch {
    // Not an answer that Celery would give; the node counts as silent.
    return {};
  }
}
