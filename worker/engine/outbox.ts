import * as z from "zod";
import { BrokerError, type BrokerPort, type Clock, type Publication } from "../ports.ts";
import type { Outgoing, StoreStep } from "./settle.ts";

const messageSchema = z.object({
  exchange: z.string(),
  routingKey: z.string(),
  properties: z.looseObject({ headers: z.record(z.string(), z.unknown()) }),
  body: z.base64(),
  mandatory: z.boolean().optional(),
  delayMs: z.number().optional(),
});
const groupId = z.string();
const taskId = z.string();
const stepSchema = z.discriminatedUnion("step", [
  z.object({ step: z.literal("chord-size"), groupId, size: z.number() }),
  z.object({ step: z.literal("save-group"), groupId, result: z.string() }),
  z.object({ step: z.literal("chord-add"), groupId, taskId }),
  z.object({ step: z.literal("store"), taskId, result: z.string() }),
  z.object({ step: z.literal("chord-part"), groupId, taskId, score: z.string(), member: z.string(), body: z.string() }),
]);
const outboxSchema = z.array(z.union([stepSchema, messageSchema]));

/** What follows a task, whole. */
export interface Outbox {
  readonly out: readonly Outgoing[];
  readonly steps: readonly StoreStep[];
}

/** An outbox as text for the lease's record, so that it survives a crash between the commit and its publication; "" for an empty one. */
export function encodeOutbox({ out, steps }: Outbox): string {
  if (out.length + steps.length === 0) return "";
  const messages = out.map(({ message, delayMs }) => ({
    exchange: message.exchange,
    routingKey: message.routingKey,
    properties: message.properties,
    body: message.body.toString("base64"),
    mandatory: message.mandatory,
    delayMs,
  }));
  return JSON.stringify([...steps, ...messages]);
}

/** The reverse. Throws when the text is not an outbox's. */
export function decodeOutbox(text: string): Outbox {
  if (text === "") return { out: [], steps: [] };
  const out: Outgoing[] = [];
  const steps: StoreStep[] = [];
  for (const entry of outboxSchema.parse(JSON.parse(text))) {
    if ("step" in entry) steps.push(entry);
    else {
      const { exchange, routingKey, properties, body, mandatory, delayMs } = entry;
      const message = { exchange, routingKey, properties, body: Buffer.from(body, "base64"), ...(mandatory === true ? { mandatory } : {}) };
      out.push(delayMs === undefined ? { message } : { message, delayMs });
    }
  }
  return { out, steps };
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
  onRefused: (error: BrokerError, message: Publication) => void,
): Promise<void> {
  const publishOne = async ({ message, delayMs }: Outgoing): Promise<void> => {
    for (;;) {
      try {
        await (delayMs === undefined ? broker.publish(message) : broker.publishLater(message, delayMs));
        return;
      } catch (error) {
        if (!(error instanceof BrokerError)) throw error;
        if (!error.passing) return onRefused(error, message);
        await new Promise<void>((resolve) => void clock.setTimeout(resolve, RETRY_MS));
      }
    }
  };
  await Promise.all(out.map(publishOne));
}
