import * as z from "zod";
import { defineKind, type ObjectOf } from "../../runtime/define-kind.ts";
import { readyColumns } from "../columns.ts";
import { commonStatus, secretKey } from "../fields.ts";

/** A Redis that holds results, leases and heartbeats. */
export const storeKind = defineKind({
  kind: "Store",
  plural: "stores",
  shortNames: ["lss"],
  description: "A Redis that holds the results, leases and heartbeats of worker pools. It is not created by Longshore.",
  finalizer: false,
  immutable: [],
  rules: [],
  spec: z.strictObject({
    uriFrom: secretKey(
      "Where the Redis URI stands: redis(s)://user:password@host:port/db, or sentinel://user:password@host:port,host:port/master/db. Not a Redis Cluster.",
      "uri",
    ),
  }),
  status: z.object({
    ...commonStatus,
    endpoint: z.string().optional().meta({ description: "host:port/db, of Sentinels their addresses, without the login." }),
    version: z.string().optional().meta({ description: "Version of the server." }),
    evictionPolicy: z.string().optional().meta({ description: "maxmemory-policy of the server. Anything but noeviction may lose leases." }),
  }),
  columns: [
    ...readyColumns,
    { name: "Version", type: "string", jsonPath: ".status.version", description: "Version of the server." },
    { name: "Endpoint", type: "string", jsonPath: ".status.endpoint", description: "host:port/db.", priority: 1 },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp", description: "Age." },
  ],
  permissions: [
    { apiGroup: "", resources: ["secrets"], verbs: ["get"], why: "The store's URI stands in a Secret. Read by name, never listed." },
  ],
});
export type Store = ObjectOf<typeof storeKind>;
