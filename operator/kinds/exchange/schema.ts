import * as z from "zod";
import { defineKind, type ObjectOf } from "../../runtime/define-kind.ts";
import { topologyColumns } from "../columns.ts";
import { bindingsFrom, brokerArguments, brokerName, brokerReference, deletionPolicy, topologyStatus } from "../fields.ts";

/** One exchange, with the bindings that lead into it from other exchanges. */
export const exchangeKind = defineKind({
  kind: "Exchange",
  plural: "exchanges",
  shortNames: ["lsx"],
  description: "An exchange on a broker.",
  finalizer: true,
  immutable: ["brokerRef", "name", "type", "durable", "autoDelete", "internal"],
  rules: [],
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
    alternateExchange: z.string().min(1).max(255).optional().meta({ description: "Takes the messages that no binding takes." }),
    arguments: brokerArguments.optional(),
    bindings: bindingsFrom("Bindings from other exchanges to this one."),
    deletionPolicy: deletionPolicy
      .exclude(["DeleteIfEmpty"])
      .default("Delete")
      .meta({ description: "What happens to the exchange on the broker when this object is deleted." }),
  }),
  status: z.object(topologyStatus),
  columns: topologyColumns({ name: "Type", type: "string", jsonPath: ".spec.type", description: "Type of the exchange." }),
  permissions: [],
});
export type Exchange = ObjectOf<typeof exchangeKind>;
