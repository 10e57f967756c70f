import * as z from "zod";
import { defineKind, type ObjectOf } from "../../runtime/define-kind.ts";
import { topologyStatus } from "../fields.ts";
import { policyColumns, policyFields } from "../policies.ts";

/** Settings of queues and exchanges that the broker applies by name. */
export const policyKind = defineKind({
  kind: "Policy",
  plural: "policies",
  shortNames: ["lspol"],
  description:
    "Settings for queues and exchanges by their names, without declaring them anew. The Broker's user needs the tag policymaker.",
  finalizer: true,
  immutable: ["brokerRef", "name"],
  rules: [],
  spec: z.strictObject({
    ...policyFields,
    applyTo: z
      .enum(["all", "queues", "classic_queues", "quorum_queues", "streams", "exchanges"])
      .default("all")
      .meta({ description: "What it applies to. Single types of queue need RabbitMQ 3.12 or newer." }),
  }),
  status: z.object(topologyStatus),
  columns: policyColumns,
  permissions: [],
});
export type Policy = ObjectOf<typeof policyKind>;
