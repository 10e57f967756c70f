import * as z from "zod";
import { defineKind, type ObjectOf } from "../../runtime/define-kind.ts";
import { readyColumns } from "../columns.ts";
import { commonStatus, plainName, secretKey } from "../fields.ts";

/** A RabbitMQ broker that exists already: where it is and how to log in. One vhost. */
export const brokerKind = defineKind({
  kind: "Broker",
  plural: "brokers",
  shortNames: ["lsb"],
  description: "A RabbitMQ broker that Longshore connects to. It is not created by Longshore.",
  finalizer: true,
  immutable: [],
  rules: [],
  spec: z.strictObject({
    uriFrom: secretKey("Where the AMQP URI stands: amqp(s)://user:password@host:port/vhost.", "uri"),
    managementFrom: secretKey(
      "Where the management URI stands: http(s)://user:password@host:port. Default: port 15672 of the same host, with the same login.",
      "management",
    ).optional(),
    prometheusUrl: z
      .string()
      .max(2_048)
      .regex(/^https?:\/\/[^\s/?#@]+(\/[^\s?#@]*)?$/)
      .optional()
      .meta({
        description:
          "Where RabbitMQ's Prometheus plugin answers, without /metrics and without a login. Default: http and port 15692 of the same host. The autoscaler reads it while the management API cannot be read.",
      }),
    tls: z
      .strictObject({
        caFrom: secretKey("Where the certificate authority stands that signed the broker's certificate, in PEM.", "ca.crt").optional(),
        clientCertificateFrom: z
          .strictObject({ name: z.string().min(1).max(253).meta({ description: "Name of the Secret, in the same namespace." }) })
          .optional()
          .meta({ description: "A Secret of type kubernetes.io/tls, with tls.crt and tls.key: the operator's own certificate." }),
      })
      .optional()
      .meta({
        description:
          "For amqps and https with an authority of your own or with client certificates; of the operator's connections, not of the workers'. A changed Secret takes effect within seconds.",
      }),
    vhost: plainName("The vhost, instead of the one in the URI: so that Brokers for several vhosts can share one Secret.").optional(),
    allowedNamespaces: z
      .array(z.string().min(1).max(63))
      .max(256)
      .default([])
      .meta({ description: "Other namespaces whose topology objects may refer to this Broker by brokerRef.namespace; * for all." }),
    unreachablePolicy: z.enum(["Wait", "Orphan"]).default("Wait").meta({
      description:
        "What a deleted object does while the broker cannot be reached. Wait: it stays until the broker is back. Orphan: after unreachableTimeoutSeconds it goes and leaves on the broker what was there.",
    }),
    unreachableTimeoutSeconds: z.int().min(0).max(86_400).default(300).meta({ description: "For unreachablePolicy Orphan." }),
  }),
  status: z.object({
    ...commonStatus,
    endpoint: z.string().optional().meta({ description: "host:port/vhost, without the login." }),
    version: z.string().optional().meta({ description: "Version of the broker." }),
    capabilities: z.array(z.string()).optional().meta({ description: "What this broker offers that Longshore makes use of." }),
    alarms: z.array(z.string()).optional().meta({ description: "Alarms that block publishers now." }),
    nodes: z
      .array(
        z.object({
          name: z.string().meta({ description: "Name of the node." }),
          running: z.boolean().meta({ description: "Whether it runs." }),
        }),
      )
      .optional()
      .meta({ description: "Nodes of the broker's cluster. Needs the tag monitoring." }),
    deprecatedFeatures: z
      .array(z.string())
      .optional()
      .meta({ description: "Features in use that a later version of the broker will not have. RabbitMQ 3.13 and newer." }),
    clusterId: z
      .string()
      .optional()
      .meta({ description: "The cluster's own id, which tells whether two host names lead to one broker. Needs the tag policymaker." }),
    objects: z
      .object({
        ready: z.int().min(0).meta({ description: "How many are Ready." }),
        notReady: z.int().min(0).meta({ description: "How many are not." }),
      })
      .optional()
      .meta({ description: "Objects that refer to this Broker and may, as of two seconds ago at most." }),
  }),
  columns: [
    ...readyColumns,
    { name: "Version", type: "string", jsonPath: ".status.version", description: "Version of the broker." },
    {
      name: "Objects",
      type: "integer",
      jsonPath: ".status.objects.ready",
      description: "Objects of this Broker that are Ready.",
      priority: 1,
    },
    { name: "Endpoint", type: "string", jsonPath: ".status.endpoint", description: "host:port/vhost.", priority: 1 },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp", description: "Age." },
  ],
  permissions: [
    { apiGroup: "", resources: ["secrets"], verbs: ["get"], why: "The broker's URI stands in a Secret. Read by name, never listed." },
  ],
});
export type Broker = ObjectOf<typeof brokerKind>;
