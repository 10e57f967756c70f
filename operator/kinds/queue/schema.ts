import * as z from "zod";
import { type CelRule, defineKind, type ObjectOf } from "../../runtime/define-kind.ts";
import { topologyColumns } from "../columns.ts";
import {
  bindingsFrom,
  brokerArguments,
  brokerName,
  brokerReference,
  bytes,
  deletionPolicy,
  duration,
  ownName,
  shortText,
  topologyStatus,
} from "../fields.ts";
import { queueFigures } from "./figures.ts";

/** The field is an argument that only these types of queue know. */
const needs = (field: string, types: readonly string[]): CelRule => ({
  field,
  rule: `!has(self.${field}) || self.type in [${types.map((type) => `'${type}'`).join(", ")}]`,
  message: `${field} needs type ${types.join(" or ")}`,
});

/** One queue, with its bindings. Every typed field is one argument of `queue.declare`; `desired.ts` holds the table. */
export const queueKind = defineKind({
  kind: "Queue",
  plural: "queues",
  shortNames: ["lsq"],
  description: "A queue on a broker, with its bindings.",
  finalizer: true,
  immutable: ["brokerRef", "name", "type", "durable", "autoDelete"],
  rootRules: [ownName],
  // What a broker of any version answers with 400 or, worse, silently leaves out. Tried on RabbitMQ 4.0.
  rules: [
    {
      field: "type",
      rule: "self.type == 'classic' || (self.durable && !self.autoDelete)",
      message: "quorum queues and streams are always durable and never autoDelete",
    },
    needs("maxPriority", ["classic"]),
    ...["deliveryLimit", "consumerTimeout", "consumerDisconnectedTimeout", "delayedRetry"].map((field) => needs(field, ["quorum"])),
    ...["maxAge", "maxSegmentBytes", "filterBytes"].map((field) => needs(field, ["stream"])),
    needs("initialMembers", ["quorum", "stream"]),
    ...["deadLetter", "singleActiveConsumer", "messageTTL", "expires", "maxLength", "overflow"].map((field) =>
      needs(field, ["classic", "quorum"]),
    ),
    {
      field: "overflow",
      rule: "!has(self.overflow) || self.overflow != 'reject-publish-dlx' || self.type == 'classic'",
      message: "overflow reject-publish-dlx needs type classic: a quorum queue would silently drop-head",
    },
    {
      field: "deadLetter",
      rule: "!has(self.deadLetter) || !has(self.deadLetter.strategy) || self.type == 'quorum'",
      message: "deadLetter.strategy needs type quorum",
    },
    {
      field: "deadLetter",
      rule: "!has(self.deadLetter) || !has(self.deadLetter.strategy) || self.deadLetter.strategy == 'at-most-once' || (has(self.overflow) && self.overflow == 'reject-publish')",
      message: "deadLetter.strategy at-least-once needs overflow reject-publish: otherwise the broker silently falls back to at-most-once",
    },
  ],
  spec: z.strictObject({
    brokerRef: brokerReference,
    name: brokerName.optional(),
    type: z.enum(["quorum", "classic", "stream"]).default("quorum").meta({ description: "Type of the queue." }),
    durable: z.boolean().default(true).meta({ description: "Survives a restart of the broker." }),
    autoDelete: z.boolean().default(false).meta({ description: "Deleted by the broker when its last consumer goes." }),
    deadLetter: z
      .strictObject({
        exchange: shortText("Exchange for messages that are rejected, expired or over a limit. Empty: the default exchange."),
        routingKey: shortText("Default: the message's own.").optional(),
        strategy: z
          .enum(["at-most-once", "at-least-once"])
          .optional()
          .meta({ description: "Quorum queues only. at-least-once needs overflow: reject-publish." }),
      })
      .optional()
      .meta({ description: "Where dead letters go. Without it they are lost." }),
    deliveryLimit: z.int().min(-1).max(1_000_000).optional().meta({
      description: "Quorum: deliveries after which a message is a dead letter; -1 for no limit. The broker's default is 20 since 4.0.",
    }),
    maxPriority: z.int().min(1).max(255).optional().meta({ description: "Classic: highest priority; keep it below 10." }),
    singleActiveConsumer: z.boolean().optional().meta({ description: "One consumer at a time, the others wait for it to go." }),
    expires: duration("Deletes the queue when unused for this long.").optional(),
    messageTTL: duration("Messages older than this are dead letters.").optional(),
    maxLength: z.int().min(0).max(2_147_483_647).optional().meta({ description: "Most ready messages." }),
    maxLengthBytes: bytes("Most bytes of ready messages.").optional(),
    overflow: z
      .enum(["drop-head", "reject-publish", "reject-publish-dlx"])
      .optional()
      .meta({ description: "What gives when the queue is full." }),
    leaderLocator: z
      .enum(["client-local", "balanced"])
      .optional()
      .meta({ description: "Where the leader of a new queue goes. Of classic queues since RabbitMQ 3.12." }),
    initialMembers: z.int().min(1).max(99).optional().meta({ description: "Quorum and stream: replicas that a new queue begins with." }),
    consumerTimeout: duration("Quorum, since RabbitMQ 4.3: a consumer that does not ack for this long loses its messages.").optional(),
    consumerDisconnectedTimeout: duration(
      "Quorum, since RabbitMQ 4.3: messages of a consumer whose node is away come back after this long.",
    ).optional(),
    delayedRetry: z
      .strictObject({
        type: z
          .enum(["disabled", "all", "failed", "returned"])
          .meta({ description: "Which messages that come back to the queue wait: those that failed, those that were returned, or all." }),
        min: duration("The first wait; it grows by as much with each delivery.").optional(),
        max: duration("The longest wait.").optional(),
      })
      .optional()
      .meta({ description: "Quorum, since RabbitMQ 4.3: messages that come back wait in the queue before they are delivered again." }),
    maxAge: duration("Stream: segments that are older are dropped. Whole seconds.").optional(),
    maxSegmentBytes: bytes("Stream: size of a segment, the unit in which old messages go.").optional(),
    filterBytes: z
      .int()
      .min(16)
      .max(255)
      .optional()
      .meta({ description: "Stream, since RabbitMQ 3.13: size of the filter of each chunk." }),
    arguments: brokerArguments.optional(),
    bindings: bindingsFrom("Bindings from exchanges to this queue. A binding that is taken out of the list is removed from the broker."),
    updatePolicy: z.enum(["Refuse", "Migrate"]).default("Refuse").meta({
      description:
        "What to do when the queue on the broker has other arguments, which no broker can change. Refuse: say so and leave it alone. Migrate: make it anew; its messages wait in another queue meanwhile, none is lost, and one may come twice. Never for streams.",
    }),
    deletionPolicy: deletionPolicy.default("Delete").meta({
      description:
        "What happens to the queue on the broker when this object is deleted. DeleteIfEmpty waits until no message and no consumer is left.",
    }),
  }),
  status: z.object({ ...topologyStatus, ...queueFigures }),
  columns: topologyColumns(
    { name: "Type", type: "string", jsonPath: ".spec.type", description: "Type of the queue." },
    { name: "Messages", type: "integer", jsonPath: ".status.messages", description: "Ready and unacked, some seconds ago." },
  ),
  permissions: [],
});
export type Queue = ObjectOf<typeof queueKind>;
