import * as z from "zod";
import { defineKind, type ObjectOf } from "../../runtime/define-kind.ts";
import { topologyColumns } from "../columns.ts";
import { brokerReference, deletionPolicy, limit, plainName, tags, topologyStatus } from "../fields.ts";

/** A vhost on the broker of the Broker object that it refers to; what is in it needs a Broker object that leads there. */
export const vhostKind = defineKind({
  kind: "Vhost",
  plural: "vhosts",
  shortNames: ["lsv"],
  description: "A vhost on a broker, with its limits. The Broker's user needs the tag administrator.",
  finalizer: true,
  immutable: ["brokerRef", "name"],
  rules: [],
  spec: z.strictObject({
    brokerRef: brokerReference,
    name: plainName("Name on the broker. Default: metadata.name.").optional(),
    description: z.string().max(1_024).default("").meta({ description: "For people." }),
    tags: tags("Tags of the vhost."),
    defaultQueueType: z
      .enum(["classic", "quorum", "stream"])
      .optional()
      .meta({ description: "Type of the queues that are declared without one. RabbitMQ 4.0 and newer." }),
    tracing: z.boolean().default(false).meta({ description: "RabbitMQ's firehose tracer: costs throughput." }),
    limits: z
      .strictObject({ connections: limit("client connections"), queues: limit("queues") })
      .default({})
      .meta({ description: "Limits of the vhost. A limit that is not given is taken away." }),
    deletionProtection: z.boolean().optional().meta({
      description:
        "Whether the broker refuses to delete the vhost, whoever asks, this object's deletion included. Default: as it is. RabbitMQ 4.1 and newer.",
    }),
    deletionPolicy: deletionPolicy.default("Delete").meta({
      description:
        "What happens to the vhost when this object is deleted. Delete takes everything in it along; DeleteIfEmpty waits until it has no queue.",
    }),
  }),
  status: z.object(topologyStatus),
  columns: topologyColumns(),
  permissions: [],
});
export type Vhost = ObjectOf<typeof vhostKind>;
