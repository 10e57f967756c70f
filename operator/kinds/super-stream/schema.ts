import * as z from "zod";
import { defineKind, type ObjectOf } from "../../runtime/define-kind.ts";
import { topologyColumns } from "../columns.ts";
import { brokerArguments, brokerName, brokerReference, bytes, deletionPolicy, ownName, topologyStatus } from "../fields.ts";

/** A super stream: an exchange and the streams that are its partitions. */
export const superStreamKind = defineKind({
  kind: "SuperStream",
  plural: "superstreams",
  shortNames: ["lsss"],
  description: "A super stream: one logical stream, partitioned over several.",
  finalizer: true,
  immutable: ["brokerRef", "name", "maxAge", "maxLengthBytes", "maxSegmentBytes", "arguments"],
  rootRules: [
    ownName,
    {
      field: "metadata.name",
      rule: "(has(self.spec.routingKeys) ? self.spec.routingKeys : ['999']).all(key, size(bytes(key)) + 1 + (has(self.spec.name) ? size(bytes(self.spec.name)) : size(self.metadata.name)) <= 255)",
      message: "the name of a partition, name-key, has at most 255 bytes",
    },
  ],
  rules: [
    { field: "partitions", rule: "self.partitions >= oldSelf.partitions", message: "partitions can only grow: a partition holds messages" },
    {
      field: "routingKeys",
      rule: "has(self.routingKeys) == has(oldSelf.routingKeys) && (!has(self.routingKeys) || oldSelf.routingKeys.all(key, self.routingKeys.indexOf(key) == oldSelf.routingKeys.indexOf(key)))",
      message: "routingKeys can only grow at the end: a partition holds messages",
    },
    {
      field: "routingKeys",
      rule: "!has(self.routingKeys) || self.routingKeys.all(key, self.routingKeys.indexOf(key) == self.routingKeys.lastIndexOf(key))",
      message: "each of routingKeys is a partition: none may be there twice",
    },
  ],
  spec: z.strictObject({
    brokerRef: brokerReference,
    name: brokerName.max(240).optional(),
    partitions: z.int().min(1).max(1_000).default(3).meta({ description: "Number of partitions: name-0, name-1, …; it can only grow." }),
    routingKeys: z
      .array(z.string().min(1).max(200))
      .min(1)
      .max(128)
      .optional()
      .meta({ description: "One partition for each of these, name-key, instead of numbered ones; more can be added at the end." }),
    maxAge: z
      .string()
      .max(16)
      .regex(/^[0-9]+[YMDhms]$/)
      .optional()
      .meta({ description: "Older segments are dropped, as 7D or 12h. Units of streams: Y, M, D, h, m, s." }),
    maxLengthBytes: bytes("Most bytes of one partition.").optional(),
    maxSegmentBytes: bytes("Size of a segment file.").optional(),
    arguments: brokerArguments.optional(),
    deletionPolicy: deletionPolicy.default("Delete").meta({
      description:
        "What happens to exchange and partitions on the broker when this object is deleted. DeleteIfEmpty keeps all of them until no partition holds a message.",
    }),
  }),
  status: z.object(topologyStatus),
  columns: topologyColumns({ name: "Partitions", type: "integer", jsonPath: ".spec.partitions", description: "Number of partitions." }),
  permissions: [],
});
export type SuperStream = ObjectOf<typeof superStreamKind>;
