import type { Channel, ConsumeMessage } from "amqplib";
import type { Delivery, MessageProperties } from "../ports.ts";

type Amqp = ConsumeMessage["properties"];

/** Absent fields stay absent: amqplib hands them over as `undefined`. */
function properties(from: Amqp): MessageProperties {
  const { contentType, contentEncoding, correlationId, replyTo, deliveryMode, priority, expiration, messageId, timestamp, type, appId } =
    from;
  const all = {
    contentType,
    contentEncoding,
    correlationId,
    replyTo,
    deliveryMode,
    priority,
    expiration,
    messageId,
    timestamp,
    type,
    appId,
  };
  const present = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return { ...present, headers: from.headers ?? {} };
}

/** amqplib's message as a `Delivery`. `settle` runs an operation of its channel and says whether the channel still took it. */
export function toDelivery(message: ConsumeMessage, queue: string, settle: (operation: (channel: Channel) => void) => boolean): Delivery {
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
    ack: () => settle((channel) => channel.ack(message)),
    reject: (requeue) => settle((channel) => channel.reject(message, requeue)),
  };
}
