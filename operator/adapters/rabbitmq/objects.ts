import * as z from "zod";
import type { ArgumentValue, BrokerObject, Declared, Target } from "../ports.ts";

/** How the management API speaks of exchanges, queues and bindings. Fields that we do not read are left out. */

const value: z.ZodType<ArgumentValue> = z.lazy(() =>
  z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(value), z.record(z.string(), value)]),
);
/** A table of arguments; whatever else stands for an empty one. */
export const argumentTable = z.record(z.string(), value).catch({});

export const exchangeSchema = z.object({
  name: z.string(),
  type: z.string(),
  durable: z.boolean(),
  auto_delete: z.boolean(),
  internal: z.boolean().catch(false),
  arguments: argumentTable,
});

export const queueSchema = z.object({
  name: z.string(),
  type: z.string().optional(),
  durable: z.boolean(),
  auto_delete: z.boolean(),
  /** null while the broker counts messages for the same answer. */
  exclusive: z.boolean().nullish(),
  arguments: argumentTable,
});

export const bindingSchema = z.object({
  source: z.string(),
  destination: z.string(),
  destination_type: z.enum(["queue", "exchange"]),
  routing_key: z.string(),
  arguments: argumentTable,
  properties_key: z.string().optional(),
});

export const exchangeFrom = (json: z.output<typeof exchangeSchema>): BrokerObject => ({
  type: "exchange",
  name: json.name,
  kind: json.type,
  durable: json.durable,
  autoDelete: json.auto_delete,
  internal: json.internal,
  arguments: json.arguments,
});

export function queueFrom(json: z.output<typeof queueSchema>): BrokerObject {
  const type = json.arguments["x-queue-type"] ?? json.type;
  const kind = type === "quorum" || type === "stream" ? type : "classic";
  const { name, durable, auto_delete: autoDelete } = json;
  return { type: "queue", name, kind, durable, autoDelete, exclusive: json.exclusive === true, arguments: json.arguments };
}

export const bindingFrom = (json: z.output<typeof bindingSchema>): BrokerObject => ({
  type: "binding",
  source: json.source,
  destinationType: json.destination_type,
  destination: json.destination,
  routingKey: json.routing_key,
  arguments: json.arguments,
});

const definitionsSchema = z.object({ queues: z.array(queueSchema), bindings: z.array(bindingSchema) });

/** Queues and bindings of one vhost's export. Exclusive queues are not in it. Throws `ZodError` when it is none. */
export function definedIn(json: unknown): readonly BrokerObject[] {
  const { queues, bindings } = definitionsSchema.parse(json);
  return [...queues.map(queueFrom), ...bindings.map(bindingFrom)];
}

/** Every queue is bound to the default exchange by itself, and that cannot be changed: it is no binding of anybody's. */
export const isImplicit = (object: BrokerObject): boolean => object.type === "binding" && object.source === "";

/** The body that declares an object, and the row that imports it. */
export function bodyOf(object: Declared): Readonly<Record<string, unknown>> {
  if (object.type === "binding") return { routing_key: object.routingKey, arguments: object.arguments };
  const common = { durable: object.durable, auto_delete: object.autoDelete, arguments: object.arguments };
  return object.type === "queue" ? common : { ...common, type: object.kind, internal: object.internal };
}

export function rowOf(object: Declared): Readonly<Record<string, unknown>> {
  if (object.type !== "binding") return { name: object.name, ...bodyOf(object) };
  return { source: object.source, destination: object.destination, destination_type: object.destinationType, ...bodyOf(object) };
}

const part = encodeURIComponent;

/** Where an object lives; of a binding, where those between the same two live. */
export function pathOf(vhost: string, object: Declared | Target): string {
  if (object.type !== "binding") return `/${object.type}s/${part(vhost)}/${part(object.name)}`;
  const { source, destinationType, destination } = object;
  return `/bindings/${part(vhost)}/e/${part(source)}/${destinationType === "queue" ? "q" : "e"}/${part(destination)}`;
}

/** Where the bindings that lead into a target live. */
export const bindingsPathOf = (vhost: string, target: Target): string =>
  `${pathOf(vhost, target)}/bindings${target.type === "exchange" ? "/destination" : ""}`;
