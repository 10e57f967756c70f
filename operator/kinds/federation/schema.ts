import * as z from "zod";
import { defineKind, type ObjectOf } from "../../runtime/define-kind.ts";
import { topologyColumns } from "../columns.ts";
import { brokerReference, duration, plainDeletionPolicy, plainName, secretKey, shortText, topologyStatus } from "../fields.ts";

/** An upstream of RabbitMQ's federation plugin; a Policy with federation-upstream says what uses it. */
export const federationKind = defineKind({
  kind: "Federation",
  plural: "federations",
  shortNames: ["lsfed"],
  description: "A federation upstream: another broker that exchanges or queues of this one receive from.",
  finalizer: true,
  immutable: ["brokerRef", "name"],
  rules: [],
  spec: z.strictObject({
    brokerRef: brokerReference,
    name: plainName("Name of the upstream on the broker. Default: metadata.name.").optional(),
    uriFrom: secretKey("Where the upstream's AMQP URI stands, or several in a row with a blank between.", "uri"),
    prefetchCount: z.int().min(1).max(65_535).optional().meta({ description: "Messages in flight." }),
    ackMode: z.enum(["on-confirm", "on-publish", "no-ack"]).optional().meta({ description: "When the upstream may forget a message." }),
    expires: duration("How long the upstream keeps messages for us while we are away.").optional(),
    messageTTL: duration("For how long it keeps each of them.").optional(),
    maxHops: z.int().min(1).max(1_000).optional().meta({ description: "Most links that a message may cross." }),
    reconnectDelaySeconds: z.int().min(1).max(86_400).optional().meta({ description: "Pause before a link is opened again." }),
    trustUserId: z.boolean().optional().meta({ description: "Keep the validated user id of messages." }),
    exchange: shortText("Name of the upstream's exchange. Default: the same as here.").optional(),
    queue: shortText("Name of the upstream's queue. Default: the same as here.").optional(),
    queueType: z.enum(["classic", "quorum"]).optional().meta({ description: "Type of the upstream's internal queue." }),
    resourceCleanupMode: z
      .enum(["default", "never"])
      .optional()
      .meta({ description: "Whether the upstream's internal queue goes when it is no longer needed." }),
    deletionPolicy: plainDeletionPolicy,
  }),
  status: z.object(topologyStatus),
  columns: topologyColumns(),
  permissions: [
    { apiGroup: "", resources: ["secrets"], verbs: ["get"], why: "URIs of other brokers stand in Secrets. Read by name, never listed." },
  ],
});
export type Federation = ObjectOf<typeof federationKind>;
