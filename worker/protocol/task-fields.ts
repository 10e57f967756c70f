import type { MessageProperties } from "../ports.ts";
import { asSignatures, isSignature, type Signature } from "./canvas/signature.ts";
import { isMap } from "./json/is-value.ts";
import { parseIso } from "./json/iso.ts";
import type { Value, ValueMap } from "./json/value.ts";
import type { TaskMessage, TimeLimit } from "./task-message.ts";

/** A message that can be read but is no task. The text names the field, what was found and what was expected. */
export class ShapeError extends Error {}

type Fields = Readonly<Record<string, unknown>>;
type Parts = { readonly args: Value | undefined; readonly kwargs: Value | undefined; readonly embed: ValueMap };

/**
 * The fields of a task out of the headers of protocol 2. Throws ShapeError for a field that Celery would fail on too;
 * what only decorates (reprs, shadow, origin) is dropped when it is wrong.
 */
export function readTask(
  headers: Fields,
  properties: MessageProperties,
  parts: Parts,
): Omit<TaskMessage, "protocol" | "contentType" | "body" | "enqueuedAt"> {
  const { args, kwargs, embed } = parts;
  const id = text(headers["id"]) ?? fail("id", headers["id"], "the task's id");
  if (!Array.isArray(args)) return fail("args", args, "a list");
  if (!isMap(kwargs)) return fail("kwargs", kwargs, "an object");
  return {
    id,
    name: text(headers["task"]) ?? fail("task", headers["task"], "the task's name"),
    args: args as readonly Value[],
    kwargs,
    retries: count("retries", headers["retries"]) ?? 0,
    timeLimit: timeLimit(headers["timelimit"]),
    rootId: text(headers["root_id"]) ?? id,
    replacedTaskNesting: count("replaced_task_nesting", headers["replaced_task_nesting"]) ?? 0,
    ...optional({
      eta: date("eta", headers["eta"]),
      expires: date("expires", headers["expires"]),
      parentId: text(headers["parent_id"]),
      group: text(headers["group"]),
      groupIndex: count("group_index", headers["group_index"]),
      ignoreResult: typeof headers["ignore_result"] === "boolean" ? headers["ignore_result"] : undefined,
      shadow: text(headers["shadow"]),
      origin: text(headers["origin"]),
      argsRepr: text(headers["argsrepr"]),
      kwargsRepr: text(headers["kwargsrepr"]),
      replyTo: text(properties.replyTo),
      correlationId: text(properties.correlationId),
      priority: properties.priority,
      chord: one("chord", embed["chord"]),
    }),
    callbacks: many("callbacks", embed["callbacks"]),
    errbacks: many("errbacks", embed["errbacks"]),
    chain: many("chain", embed["chain"]),
    stampedHeaders: strings(headers["stamped_headers"]),
    stamps: record(headers["stamps"]),
    headers,
  };
}

/** Leaves out what is undefined, so that an absent field is absent. */
function optional<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const known: { [K in keyof T]?: Exclude<T[K], undefined> } = {};
  for (const name in fields) {
    const value = fields[name];
    if (value !== undefined) known[name] = value as Exclude<T[typeof name], undefined>;
  }
  return known;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function count(field: string, value: unknown): number | undefined {
  if (value == null) return undefined;
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : fail(field, value, "a whole number");
}

/** ISO 8601, or an AMQP timestamp, as amqplib hands it over. */
function date(field: string, value: unknown): Date | undefined {
  if (value == null) return undefined;
  const isTimestamp = typeof value === "object" && "!" in value && value["!"] === "timestamp" && "value" in value;
  if (isTimestamp && typeof value.value === "number") return new Date(value.value * 1_000);
  if (value instanceof Date) return value;
  const ms = typeof value === "string" ? parseIso(value) : undefined;
  return ms === undefined ? fail(field, value, "an ISO 8601 date") : new Date(ms);
}

/** `[hard, soft]`: the order that the code uses, not the one that Celery's protocol document states. */
function timeLimit(value: unknown): TimeLimit {
  if (value == null) return {};
  if (!Array.isArray(value)) return fail("timelimit", value, "[hard, soft] in seconds");
  if (value[0] == null && value[1] == null) return NO_LIMIT;
  const [hard, soft] = value.map((limit: unknown) => {
    if (limit == null) return undefined;
    return typeof limit === "number" && limit >= 0 ? limit : fail("timelimit", value, "[hard, soft] in seconds");
  });
  return optional({ hard: hard || undefined, soft: soft || undefined });
}

const NO_LIMIT: TimeLimit = {};

function many(field: string, value: Value | undefined): readonly Signature[] {
  return asSignatures(value) ?? fail(field, value, "a list of signatures");
}

function one(field: string, value: Value | undefined): Signature | undefined {
  if (value == null) return undefined;
  return isSignature(value) ? value : fail(field, value, "a signature");
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

function record(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function fail(field: string, found: unknown, expected: string): never {
  const shown =
    typeof found === "string"
      ? JSON.stringify(found.slice(0, 60))
      : found === null
        ? "null"
        : Array.isArray(found)
          ? "a list"
          : typeof found;
  throw new ShapeError(`${field} is ${shown}, expected ${expected}`);
}
