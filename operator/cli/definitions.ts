import * as z from "zod";

/** What RabbitMQ exports as definitions (rabbitmq.com/docs/definitions), as far as there are kinds for it. A file of one vhost names no vhost. */
const args = z.record(z.string(), z.unknown()).catch({});
const vhost = z.string().default("/");
const list = <T extends z.ZodType>(of: T) => z.array(of).default([]);
const tags = z.union([z.array(z.string()), z.string().transform((text) => text.split(",").filter((tag) => tag !== ""))]).catch([]);
const limits = z.record(z.string(), z.int()).catch({});

export const definitionsSchema = z.object({
  users: list(
    z.object({ name: z.string(), password_hash: z.string().default(""), hashing_algorithm: z.string().optional(), tags, limits }),
  ),
  vhosts: list(
    z.object({
      name: z.string(),
      limits: z.union([limits, z.array(z.unknown())]).optional(),
      description: z.string().optional(),
      tags: tags.optional(),
      default_queue_type: z.string().optional(),
      metadata: z
        .object({ description: z.string().optional(), tags: tags.optional(), default_queue_type: z.string().optional() })
        .optional(),
    }),
  ),
  permissions: list(z.object({ user: z.string(), vhost, configure: z.string(), write: z.string(), read: z.string() })),
  topic_permissions: list(z.object({ user: z.string(), vhost, exchange: z.string(), write: z.string(), read: z.string() })),
  parameters: list(z.object({ vhost, component: z.string(), name: z.string(), value: z.unknown() })),
  global_parameters: list(z.object({ name: z.string() })),
  policies: list(
    z.object({
      vhost,
      name: z.string(),
      pattern: z.string(),
      "apply-to": z.string().default("all"),
      definition: args,
      priority: z.int().default(0),
    }),
  ),
  queues: list(
    z.object({ vhost, name: z.string(), type: z.string().optional(), durable: z.boolean(), auto_delete: z.boolean(), arguments: args }),
  ),
  exchanges: list(
    z.object({
      vhost,
      name: z.string(),
      type: z.string(),
      durable: z.boolean(),
      auto_delete: z.boolean(),
      internal: z.boolean().default(false),
      arguments: args,
    }),
  ),
  bindings: list(
    z.object({
      vhost,
      source: z.string(),
      destination: z.string(),
      destination_type: z.enum(["queue", "exchange"]),
      routing_key: z.string(),
      arguments: args,
    }),
  ),
});
export type Definitions = z.output<typeof definitionsSchema>;
