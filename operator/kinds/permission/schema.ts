import * as z from "zod";
import { defineKind, type ObjectOf } from "../../runtime/define-kind.ts";
import { topologyColumns } from "../columns.ts";
import { brokerReference, plainDeletionPolicy, plainName, topologyStatus } from "../fields.ts";

const pattern = (what: string) =>
  z
    .string()
    .max(4_096)
    .default("")
    .meta({ description: `Regular expression of the names that the user may ${what}. Empty: none.` });

/** What a user may do in the Broker's vhost. */
export const permissionKind = defineKind({
  kind: "Permission",
  plural: "permissions",
  shortNames: ["lsperm"],
  description: "What a user may do in the Broker's vhost. The Broker's user needs the tag administrator.",
  finalizer: true,
  immutable: ["brokerRef", "user"],
  rules: [],
  spec: z.strictObject({
    brokerRef: brokerReference,
    user: plainName("Name of the user on the broker."),
    configure: pattern("declare and delete"),
    write: pattern("publish to, or bind"),
    read: pattern("consume from, or bind from"),
    deletionPolicy: plainDeletionPolicy,
  }),
  status: z.object(topologyStatus),
  columns: topologyColumns({ name: "User", type: "string", jsonPath: ".spec.user", description: "Name of the user." }),
  permissions: [],
});
export type Permission = ObjectOf<typeof permissionKind>;
