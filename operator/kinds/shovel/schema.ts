import * as z from "zod";
import { type CelRule, defineKind, type ObjectOf } from "../../runtime/define-kind.ts";
import { topologyColumns } from "../columns.ts";
import { brokerArguments, brokerReference, plainDeletionPolicy, plainName, secretKey, shortText, topologyStatus } from "../fields.ts";

const name = (description: string) => shortText(description).optional();
const table = (description: string) => brokerArguments.optional().meta({ description, preserveUnknown: true });

/** What both ends of a shovel have. */
const end = (which: string) => ({
  uriFrom: secretKey(`Where the AMQP URI of the ${which} stands, or several in a row with a blank between.`, "uri"),
  protocol: z.enum(["amqp091", "amqp10"]).default("amqp091").meta({ description: "AMQP 0-9-1 or AMQP 1.0." }),
  queue: name("Name of the queue. AMQP 0-9-1."),
  queueArguments: table("Arguments of the queue, which the shovel declares when it is missing. AMQP 0-9-1."),
  exchange: name("Name of the exchange, instead of a queue. AMQP 0-9-1."),
  exchangeKey: name("Routing key, with an exchange."),
  address: name("Address. AMQP 1.0."),
});

const rules = (path: string): readonly CelRule[] => [
  {
    path,
    rule: "self.protocol == 'amqp10' ? has(self.address) : has(self.queue) != has(self.exchange)",
    message: "amqp091 needs either queue or exchange, amqp10 needs address",
  },
];

/** A dynamic shovel: moves messages from one broker to another. */
export const shovelKind = defineKind({
  kind: "Shovel",
  plural: "shovels",
  shortNames: ["lsshovel"],
  description: "A shovel: moves messages from a queue or exchange to another, on this broker or between others.",
  finalizer: true,
  immutable: ["brokerRef", "name"],
  rules: [...rules("source"), ...rules("destination")],
  spec: z.strictObject({
    brokerRef: brokerReference,
    name: plainName("Name of the shovel on the broker. Default: metadata.name.").optional(),
    source: z
      .strictObject({
        ...end("source"),
        prefetchCount: z.int().min(1).max(65_535).optional().meta({ description: "Messages in flight." }),
        deleteAfter: z
          .string()
          .max(20)
          .regex(/^(never|queue-length|[0-9]+)$/)
          .optional()
          .meta({
            description:
              "never, queue-length (what is there when it starts) or a number of messages: then the shovel removes itself, and is not made anew.",
          }),
        consumerArguments: table("Arguments of the consumer. AMQP 0-9-1."),
      })
      .meta({ description: "Where messages come from." }),
    destination: z
      .strictObject({
        ...end("destination"),
        addForwardHeaders: z.boolean().optional().meta({ description: "Say in headers where a message came from." }),
        addTimestampHeader: z.boolean().optional().meta({ description: "Say in a header when it was moved." }),
        publishProperties: table("Properties that messages get. AMQP 0-9-1."),
        properties: table("Properties that messages get. AMQP 1.0."),
        applicationProperties: table("Application properties that messages get. AMQP 1.0."),
        messageAnnotations: table("Annotations that messages get. AMQP 1.0."),
      })
      .meta({ description: "Where they go." }),
    ackMode: z.enum(["on-confirm", "on-publish", "no-ack"]).optional().meta({ description: "When the source may forget a message." }),
    reconnectDelaySeconds: z.int().min(0).max(86_400).optional().meta({ description: "Pause before it connects again." }),
    deletionPolicy: plainDeletionPolicy,
  }),
  status: z.object(topologyStatus),
  columns: topologyColumns(),
  permissions: [],
});
export type Shovel = ObjectOf<typeof shovelKind>;
