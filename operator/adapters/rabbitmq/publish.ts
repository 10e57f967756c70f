import type { Channel, ChannelModel, ConfirmChannel, Message } from "amqplib";
import { type ControlRequest, PIDBOX_EXCHANGE } from "../../../worker/contract/control.ts";
import type { Publication, PublishPort } from "../../schedules/ports.ts";
import { type BrokerEndpoint, BrokerError } from "../ports.ts";
import { openConnection } from "./connection.ts";
import { amqpError } from "./errors.ts";

interface Pending {
  readonly message: Publication;
  readonly settle: (error?: BrokerError) => void;
  returned: boolean;
}

/** So many messages are written in one go; then the socket has its turn, so that the broker is at the first while the last are being encoded. */
const IN_ONE_GO = 32;

export interface PublishingOptions {
  /** In [0, 1). */
  readonly random: () => number;
  /** How long a confirm may take, ms; default 10,000. A broker with an alarm gives none. */
  readonly confirmMs?: number;
}

const where = ({ exchange, routingKey }: Publication): string =>
  exchange === "" ? `queue ${routingKey}` : `exchange ${exchange}, routing key ${JSON.stringify(routingKey)}`;

/** Publishes to one vhost, with confirms, over one connection that comes back by itself. Opens in the background: never throws. */
export function openPublishing(endpoint: BrokerEndpoint, { random, confirmMs = 10_000 }: PublishingOptions): PublishPort {
  const connection = openConnection(endpoint, { name: "longshore-operator schedules", random });
  const { password, display } = endpoint;
  const pending = new Set<Pending>();
  let opened: { readonly of: ChannelModel; readonly channel: Promise<ConfirmChannel> } | undefined;

  /** A return comes before its confirm; a correlation id is a task's id, which is published once at a time. */
  const onReturn = ({ properties }: Message): void => {
    for (const entry of pending) if (entry.message.correlationId === properties.correlationId) entry.returned = true;
  };
  const open = async (model: ChannelModel): Promise<ConfirmChannel> => {
    const channel = await model.createConfirmChannel();
    let cause: unknown = new Error("the channel was closed");
    channel.on("error", (error) => (cause = error));
    channel.on("return", onReturn);
    channel.on("close", () => {
      if (opened?.of === model) opened = undefined;
      failAll(cause);
    });
    return channel;
  };
  /** The broker ends the channel for one message; the others on it may have arrived or not. */
  const failAll = (cause: unknown): void => {
    for (const { message, settle } of pending) {
      const error = amqpError(cause, `publish to ${where(message)} on ${display}`, password);
      const guilty = error.failure === "unreachable" || error.message.includes(`'${message.exchange}'`);
      settle(guilty ? error : new BrokerError("unreachable", "amqp", error.message));
    }
  };
  const current = async (): Promise<ConfirmChannel> => {
    const model = await connection.model();
    if (opened?.of !== model) {
      const opening = { of: model, channel: open(model) };
      opened = opening;
      opening.channel.catch(() => {
        // Whoever asked gets the error; the next one opens anew.
        if (opened === opening) opened = undefined;
      });
    }
    return await opened.channel;
  };

  let [line, inLine]: [Promise<void>, number] = [Promise.resolve(), 0];
  const inTurn = (): Promise<void> => {
    const place = line;
    inLine += 1;
    if (inLine % IN_ONE_GO === 0) line = line.then(() => new Promise((resolve) => void setImmediate(resolve)));
    return place;
  };

  const send = (channel: ConfirmChannel, message: Publication): Promise<void> =>
    new Promise((resolve, reject) => {
      const settle = (error?: BrokerError): void => {
        clearTimeout(timer);
        if (!pending.delete(entry)) return;
        if (error === undefined) resolve();
        else reject(error);
      };
      const entry: Pending = { message, settle, returned: false };
      const late = () => settle(new BrokerError("unreachable", "amqp", `${display} did not confirm within ${confirmMs} ms`));
      const timer = setTimeout(late, confirmMs);
      pending.add(entry);
      const { exchange, routingKey, body, expiration, correlationId, headers, priority } = message;
      const properties = { contentType: "application/json", contentEncoding: "utf-8", deliveryMode: 2, mandatory: true };
      const own = {
        correlationId,
        headers,
        priority,
        replyTo: "",
        ...(expiration === undefined ? {} : { expiration: String(expiration) }),
      };
      channel.publish(
        exchange,
        routingKey,
        Buffer.from(body.buffer, body.byteOffset, body.byteLength),
        { ...properties, ...own },
        (error: unknown) => {
          if (error instanceof Error && error.message === "channel closed") return; // `failAll` knows why.
          if (error) settle(new BrokerError("unavailable", "amqp", `${display} did not take the message for ${where(message)}`));
          else if (entry.returned)
            settle(new BrokerError("missing", "amqp", `no queue takes a message for ${where(message)} on ${display}`));
          else settle();
        },
      );
    });

  const onChannel = async (work: (channel: Channel) => Promise<void>): Promise<void> => {
    const channel = await (await connection.model()).createChannel();
    channel.on("error", () => {
      // What failed on it says so itself.
    });
    await work(channel);
    await channel.close();
  };

  return {
    ready: (withinMs) =>
      new Promise((resolve) => {
        if (connection.up) return resolve(true);
        const end = (): void => {
          clearTimeout(timer);
          waiting[Symbol.dispose]();
          resolve(connection.up);
        };
        const timer = setTimeout(end, withinMs);
        const waiting = connection.onUp(end);
      }),
    async publish(message) {
      try {
        await inTurn();
        await send(await current(), message);
      } catch (error) {
        throw amqpError(error, `publish to ${where(message)} on ${display}`, password);
      }
    },
    async revoke(taskId) {
      const args = { task_id: taskId, terminate: true, signal: "SIGTERM" };
      const body: ControlRequest = { method: "revoke", arguments: args, destination: null, pattern: null, matcher: null };
      try {
        await onChannel(async (channel) => {
          await channel.assertExchange(PIDBOX_EXCHANGE, "fanout", { durable: false });
          channel.publish(PIDBOX_EXCHANGE, "", Buffer.from(JSON.stringify(body)), {
            contentType: "application/json",
            contentEncoding: "utf-8",
            headers: { clock: 1 },
          });
        });
      } catch (error) {
        throw amqpError(error, `revoke a task on ${display}`, password);
      }
    },
    async [Symbol.asyncDispose]() {
      await connection[Symbol.asyncDispose]();
      failAll(new Error("this process is stopping"));
    },
  };
}
