import { connect, type GetMessage } from "amqplib";
import type { DeadLetters } from "../../redrive/run.ts";

interface Taken {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly message: GetMessage;
}

/**
 * Opens a queue of dead letters on a connection of its own; disposal closes it, and the broker puts back what was only looked at. Takes no more
 * than were there at first, so that what fails again at once does not go round. Throws when broker or queue do not answer.
 */
export async function openDeadLetters(url: string, queue: string): Promise<DeadLetters<Taken>> {
  const model = await connect(url, { clientProperties: { connection_name: "longshore-redrive" } });
  const lost = Promise.withResolvers<never>();
  // Whoever waits for the broker gets it; when nobody does, it must not end the process.
  lost.promise.catch(() => {});
  model.on("error", (error: Error) => lost.reject(error));
  try {
    const channel = await model.createConfirmChannel();
    channel.on("error", (error: Error) => lost.reject(error));
    let left = (await channel.checkQueue(queue)).messageCount;
    const returned = new Set<string>();
    channel.on("return", ({ properties }: GetMessage) => void returned.add(String(properties.messageId)));
    let serial = 0;
    return {
      async take() {
        if (left <= 0) return undefined;
        left -= 1;
        const message = await Promise.race([channel.get(queue), lost.promise]);
        return message === false ? undefined : { message, headers: message.properties.headers ?? {} };
      },
      async move({ message }, to, headers) {
        // By its id a message is recognised that no queue takes.
        const mark = `longshore-redrive-${(serial += 1)}`;
        const { expiration: _dead, ...properties } = message.properties;
        const options = { ...properties, deliveryMode: 2, headers, mandatory: true, messageId: message.properties.messageId ?? mark };
        const confirmed = Promise.withResolvers<void>();
        channel.publish("", to, message.content, options, (error: unknown) =>
          error === null ? confirmed.resolve() : confirmed.reject(error instanceof Error ? error : new Error(String(error))),
        );
        await Promise.race([confirmed.promise, lost.promise]);
        if (returned.delete(String(options.messageId))) throw new Error(`queue ${to} does not exist on the broker; name another with --to`);
        channel.ack(message);
      },
      async [Symbol.asyncDispose]() {
        // In order after the acks; the end of the connection alone may overtake them. A channel that is gone has nothing to wait for.
        await channel.close().catch(() => {});
        await model.close();
      },
    };
  } catch (error) {
    // What went wrong first is what the caller must hear, and not that the connection is gone as well.
    await model.close().catch(() => {});
    throw error;
  }
}
