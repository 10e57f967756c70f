import * as z from "zod";
import { defineKind, type ObjectOf } from "../../runtime/define-kind.ts";
import { topologyColumns } from "../columns.ts";
import { brokerReference, plainDeletionPolicy, plainName, topologyStatus } from "../fields.ts";

const pattern = (what: string) =>
  z
    .string()
    .max(4_096)
    .default("")
    .meta({ description: `Regular expression of the routing keys that the user may ${what}. Empty: none.` });

/** Which routing keys of a topic exchange a user may use. */
export const topicPermissionKind = defineKind({
  kind: "TopicPermission",
  plural: "topicpermissions",
  shortNames: ["lstperm"],
  description: "Which routing keys of a topic exchange a user may use. The Broker's user needs the tag administrator.",
  finalizer: true,
  immutable: ["brokerRef", "user", "exchange"],
  rules: [],
  spec: z.strictObject({
    brokerRef: brokerReference,
    user: plainName("Name of the user on the broker."),
    exchange: plainName("Name of the topic exchange on the broker."),
    write: pattern("publish with"),
    read: pattern("bind with"),
    deletionPolicy: plainDeletionPolicy,
  }),
  status: z.object(topologyStatus),
  columns: topologyColumns(
    { name: "User", type: "string", jsonPath: ".spec.user", description: "Name of the user." },
    { name: "Exchange", type: "string", jsonPath: ".spec.exchange", description: "Name of the exchange." },
  ),
  permissions: [],
});
export type TopicPermission = ObjectOf<typeof topicPermissionKind>;
