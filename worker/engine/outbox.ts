import * as z from "zod";
import { BrokerError, type BrokerPort, type Clock } from "../ports.ts";
import type { Outgoing } from "./settle.ts";

const entrySchema = z.array(
  z.object({
    exchange: z.string(),
    routingKey: z.string(),
    properties: z.looseObject({ headers: z.record(z.string(), z.unknown()) }),
    body: z.base64(),
    delayMs: z.number().optional(),
  }),
);

/** Messages as text for the lease's record, so that they survive a crash between the commit and their publication; "" for none. */
export function encodeOutbox(out: readonly Outgoing[]): string {
  if (out.length === 0) return "";
  return JSON.stringify(
    out.map(({ message, delayMs }) => ({
      exchange: message.exchange,
      routingKey: message.routingKey,
      properties: message.properties,
      body: message.body.toString("base64"),
      delayMs,
    })),
  );
}

/** The reverse. Throws when the text is not an outbox's. */
export function decodeOutbox(text: string): readonly Outgoing[] {
  if (text === "") return [];
  return entrySchema.parse(JSON.parse(text)).map(({ exchange, routingKey, properties, body, delayMs }) => ({
    message: { exchange, routingKey, properties, body: Buffer.from(body, "base64") },
    ...(delayMs === undefined ? {} : { delayMs }),
  }));
}

const RETRY_MS = 250;

/**
 * Publishes each message until the broker confirmed it, through lost connections. One that the broker will never take is reported
 * and left out: its task's effect has happened, and to deliver that again would not help.
 */
export async function publishAll(
  broker: BrokerPort,
  out: readonly Outgoing[],
  clock: Clock,
  onRefused: (error: BrokerError) => void,
): Promise<void> {
  const publishOne = async ({ message, delayMs }: Outgoing): Promise<void> => {
    for (;;) {
      try {
        await (delayMs === undefined ? broker.publish(message) : broker.publishLater(message, delayMs));
        return;
      } catch (error) {
        if (!(error instanceof BrokerError)) throw error;
        if (!error.passing) return onRefused(error);
        await new Promise<void>((resolve) => void clock.setTimeout(resolve, RETRY_MS));
      }
    }
  };
  await Promise.all(out.map(publishOne));
}
