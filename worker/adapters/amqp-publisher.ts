import type { Channel, ChannelModel, ConfirmChannel, Message, Options } from "amqplib";
import { BrokerError, type Publication } from "../ports.ts";
import { brokerError, replyCode } from "./amqp-errors.ts";
import type { Link } from "./amqp-link.ts";

export interface Publisher extends AsyncDisposable {
  /** Waits for a connection, then for the confirm. Many calls at once are pipelined on one channel. */
  publish(message: Publication): Promise<void>;
  /** Runs declarations on the publishing channel's connection; their failure does not disturb what is being published. */
  declare(run: (channel: Channel) => Promise<void>): Promise<void>;
}

interface Pending {
  readonly message: Publication;
  readonly fail: (error: BrokerError) => void;
  returned: boolean;
}

const toOptions = ({ properties, mandatory }: Publication): Options.Publish => ({ ...properties, mandatory: mandatory === true });

const target = ({ exchange, routingKey }: Publication): string => `exchange "${exchange}", routing key "${routingKey}"`;

/** Publishes with confirms over a link. A message whose confirm was lost fails as `interrupted`: the broker may have it or not. */
export function openPublisher(link: Link): Publisher {
  const pending = new Set<Pending>();
  let ready = Promise.withResolvers<ConfirmChannel>();
  let current: ChannelModel | undefined;
  let full: PromiseWithResolvers<void> | undefined;
  let closed = false;
  // Nobody may be waiting when it is disposed.
  ready.promise.catch(() => {});

  /** A return comes before its confirm, and names only exchange, key and correlation id: the oldest such message is it. */
  const onReturn = ({ fields, properties }: Message): void => {
    for (const entry of pending) {
      const { message } = entry;
      const same = message.exchange === fields.exchange && message.routingKey === fields.routingKey;
      if (!same || entry.returned || message.mandatory !== true || message.properties.correlationId !== properties.correlationId) continue;
      entry.returned = true;
      return;
    }
  };

  const onClose = (reason: unknown): void => {
    ready = Promise.withResolvers();
    ready.promise.catch(() => {});
    full?.resolve();
    full = undefined;
    const error = brokerError(reason, "publishing");
    const code = replyCode(error);
    for (const { message, fail } of pending) {
      // The broker ends the channel for the one message whose exchange it refuses; the others go down with it and may try again.
      const guilty = (code === 404 || code === 403) && error.message.includes(`'${message.exchange}'`);
      fail(guilty ? brokerError(reason, `publishing to ${target(message)}`) : new BrokerError("interrupted", error.message));
    }
    pending.clear();
  };

  link.onUp((model) => {
    current = model;
    const open = async (): Promise<void> => {
      if (closed || !link.up || model !== current) return;
      try {
        const channel = await model.createConfirmChannel();
        let reason: unknown = new Error("the channel was closed");
        channel.on("error", (error) => (reason = error));
        channel.on("return", onReturn);
        channel.on("drain", () => {
          full?.resolve();
          full = undefined;
        });
        channel.on("close", () => {
          onClose(reason);
          void open();
        });
        ready.resolve(channel);
      } catch {
        // The connection went down meanwhile: the link's next connection opens the channel.
      }
    };
    void open();
  });

  const send = (channel: ConfirmChannel, message: Publication): Promise<void> =>
    new Promise((resolve, reject) => {
      const entry: Pending = { message, fail: reject, returned: false };
      pending.add(entry);
      try {
        const room = channel.publish(message.exchange, message.routingKey, message.body, toOptions(message), (error: unknown) => {
          // The channel's end is told to all of them at once by `onClose`, which knows why.
          if (error instanceof Error && error.message === "channel closed") return;
          if (!pending.delete(entry)) return;
          if (error) reject(new BrokerError("interrupted", `publishing to ${target(message)}: the broker did not take the message`));
          else if (entry.returned) reject(new BrokerError("unroutable", `publishing to ${target(message)}: no queue is bound for it`));
          else resolve();
        });
        if (!room) {
          full ??= Promise.withResolvers();
        }
      } catch (error) {
        pending.delete(entry);
        const kind = error instanceof RangeError ? "invalid" : "interrupted";
        reject(new BrokerError(kind, `publishing to ${target(message)}: ${brokerError(error, "refused").message}`));
      }
    });

  return {
    async publish(message) {
      const channel = await ready.promise;
      await full?.promise;
      await send(channel, message);
    },
    async declare(run) {
      await ready.promise;
      if (current === undefined) throw new BrokerError("interrupted", "declaring: the connection was lost");
      try {
        // A refused declaration closes its channel, so it gets one of its own.
        const channel = await current.createChannel();
        channel.on("error", () => {
          // The declaration's own rejection reports it.
        });
        await run(channel);
        await channel.close();
      } catch (error) {
        throw brokerError(error, "declaring");
      }
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      const error = new BrokerError("unreachable", "publishing: this process is stopping");
      ready.reject(error);
      for (const { fail } of pending) fail(error);
      pending.clear();
    },
  };
}
