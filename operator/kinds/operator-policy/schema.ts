import * as z from "zod";
import { defineKind, type ObjectOf } from "../../runtime/define-kind.ts";
import { topologyStatus } from "../fields.ts";
import { policyColumns, policyFields } from "../policies.ts";

/** Limits that no other policy can loosen. */
export const operatorPolicyKind = defineKind({
  kind: "OperatorPolicy",
  plural: "operatorpolicies",
  shortNames: ["lsopol"],
  description: "Limits for queues by their names that other policies cannot loosen. The Broker's user needs the tag administrator.",
  finalizer: true,
  immutable: ["brokerRef", "name"],
  rules: [],
  spec: z.strictObject({
    ...policyFields,
    applyTo: z
      .enum(["queues", "classic_queues", "quorum_queues", "streams"])
      .default("queues")
      .meta({ description: "What it applies to. Single types of queue need RabbitMQ 3.12 or newer." }),
  }),
  status: z.object(topologyStatus),
  columns: policyColumns,
  permissions: [],
});
export type OperatorPolicy = ObjectOf<typeof operatorPolicyKind>;
