import * as z from "zod";
import { type CelRule, defineKind, type ObjectOf } from "../../runtime/define-kind.ts";
import { topologyColumns } from "../columns.ts";
import {
  bindingsFrom,
  brokerArguments,
  brokerName,
  brokerReference,
  deletionPolicy,
  ownName,
  plainName,
  topologyStatus,
} from "../fields.ts";

/** The field is an argument that only this type of exchange knows. */
const needs = (field: string, type: string): CelRule => ({
  field,
  rule: `!has(self.${field}) || self.type == '${type}'`,
  message: `${field} needs type ${type}`,
});

/** One exchange, with the bindings that lead into it from other exchanges. */
export const exchangeKind = defineKind({
  kind: "Exchange",
  plural: "exchanges",
  shortNames: ["lsx"],
  description: "An exchange on a broker.",
  finalizer: true,
  immutable: ["brokerRef", "name", "type", "durable", "autoDelete", "internal"],
  rootRules: [ownName],
  rules: [
    ...(["hashHeader", "hashProperty"] as const).map((field) => needs(field, "x-consistent-hash")),
    needs("historyLength", "x-recent-history"),
    {
      field: "hashProperty",
      rule: "!has(self.hashProperty) || !has(self.hashHeader)",
      message: "hashHeader and hashProperty exclude each other",
    },
  ],
  spec: z.strictObject({
    brokerRef: brokerReference,
    name: brokerName.optional(),
    type: z
      .string()
      .max(64)
      .regex(/^(direct|fanout|topic|headers|x-[a-z0-9-]+)$/)
      .default("direct")
      .meta({ description: "direct, fanout, topic, headers, or a plugin's type that begins with x-." }),
    durable: z.boolean().default(true).meta({ description: "Survives a restart of the broker." }),
    autoDelete: z.boolean().default(false).meta({ description: "Deleted by the broker when its last binding goes." }),
    internal: z.boolean().default(false).meta({ description: "Only other exchanges may publish to it." }),
    alternateExchange: plainName("Takes the messages that no binding takes.").optional(),
    hashHeader: z
      .string()
      .min(1)
      .max(255)
      .optional()
      .meta({ description: "x-consistent-hash: the header whose value says where a message goes, instead of the routing key." }),
    hashProperty: z
      .enum(["message_id", "correlation_id", "timestamp"])
      .optional()
      .meta({ description: "x-consistent-hash: the property that says where a message goes." }),
    historyLength: z
      .int()
      .min(1)
      .max(1_000_000)
      .optional()
      .meta({ description: "x-recent-history: how many messages a queue gets when it is bound. The plugin's default is 20." }),
    arguments: brokerArguments.optional(),
    bindings: bindingsFrom("Bindings from other exchanges to this one."),
    deletionPolicy: deletionPolicy.default("Delete").meta({
      description:
        "What happens to the exchange on the broker when this object is deleted. DeleteIfEmpty waits until no binding leads out of it.",
    }),
  }),
  status: z.object(topologyStatus),
  columns: topologyColumns({ name: "Type", type: "string", jsonPath: ".spec.type", description: "Type of the exchange." }),
  permissions: [],
});
export type Exchange = ObjectOf<typeof exchangeKind>;
