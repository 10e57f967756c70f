import * as z from "zod";
import { defineKind, type ObjectOf } from "../../runtime/define-kind.ts";
import { topologyColumns } from "../columns.ts";
import { brokerArguments, brokerReference, plainDeletionPolicy, plainName, shortText, topologyStatus } from "../fields.ts";

/** One binding by itself, for where the queue or exchange that it leads into is another team's. */
export const bindingKind = defineKind({
  kind: "Binding",
  plural: "bindings",
  shortNames: ["lsbind"],
  description: "A binding from an exchange to a queue or another exchange.",
  finalizer: true,
  immutable: ["brokerRef", "source", "destination", "destinationType", "routingKey", "arguments"],
  rules: [],
  spec: z.strictObject({
    brokerRef: brokerReference,
    source: plainName("Name on the broker of the exchange that messages come from."),
    destination: plainName("Name on the broker of the queue or exchange that they go to."),
    destinationType: z.enum(["queue", "exchange"]).default("queue").meta({ description: "What the destination is." }),
    routingKey: shortText("Routing key or pattern.").default(""),
    arguments: brokerArguments.optional(),
    deletionPolicy: plainDeletionPolicy,
  }),
  status: z.object(topologyStatus),
  columns: topologyColumns(
    { name: "Source", type: "string", jsonPath: ".spec.source", description: "Exchange." },
    { name: "Destination", type: "string", jsonPath: ".spec.destination", description: "Queue or exchange." },
  ),
  permissions: [],
});
export type Binding = ObjectOf<typeof bindingKind>;
