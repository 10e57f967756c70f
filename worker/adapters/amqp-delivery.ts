import type { ConsumeMessage } from "amqplib";
import type { Delivery, MessageProperties } from "../ports.ts";

const NAMES = [
  "contentType",
  "contentEncoding",
  "correlationId",
  "replyTo",
  "deliveryMode",
  "priority",
  "expiration",
  "messageId",
  "timestamp",
  "type",
  "appId",
] as const;

/** Absent fields stay absent: amqplib hands them over as `undefined`. */
function properties(from: ConsumeMessage["properties"]): MessageProperties {
  const all: Record<string, unknown> & { headers: MessageProperties["headers"] } = { headers: from.headers ?? {} };
  for (const name of NAMES) if (from[name] !== undefined) all[name] = from[name];
  return all;
}

/** Says whether the channel still took it. */
export type Settle = (message: ConsumeMessage, how: "ack" | "requeue" | "reject") => boolean;

/** amqplib's message as a `Delivery`. */
export function toDelivery(message: ConsumeMessage, queue: string, settle: Settle): Delivery {
  const props = properties(message.properties);
  const count = props.headers["x-delivery-count"];
  return {
    queue,
    exchange: message.fields.exchange,
    routingKey: message.fields.routingKey,
    redelivered: message.fields.redelivered,
    ...(typeof count === "number" ? { deliveryCount: count } : {}),
    properties: props,
    body: message.content,
    ack: () => settle(message, "ack"),
    reject: (requeue) => settle(message, requeue ? "requeue" : "reject"),
  };
}
