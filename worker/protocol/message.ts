import type { MessageProperties } from "../ports.ts";
import { isList, isMap } from "./json/is-value.ts";
import { decodeJson, type JsonLimits } from "./json/json.ts";
import type { Value, ValueMap } from "./json/value.ts";
import { readTask, ShapeError } from "./task-fields.ts";
import { type Decoded, ENQUEUED_AT_HEADER, type Malformed, type TaskMessage } from "./task-message.ts";

export { encodeTask, type OutgoingTask } from "./encode-task.ts";
export type { Decoded, Malformed, TaskMessage, TimeLimit } from "./task-message.ts";

/** Reads a body of one content type. `exact` keeps whole floats apart, for what is passed on unseen. Throws for a body that is wrong. */
export type BodyReader = (body: Uint8Array, exact: boolean) => Value;

export interface DecodeOptions {
  readonly limits?: Partial<JsonLimits>;
  /** Content types taken besides JSON, such as msgpack or YAML. Never register pickle: reading it runs code. */
  readonly readers?: Readonly<Record<string, BodyReader>>;
  /** Undoes the header `compression`, such as `application/x-gzip`. Throws for one that is not known. */
  readonly decompress?: (body: Uint8Array, compression: string) => Uint8Array;
}

/**
 * Reads a task message: protocol 2, protocol 1, and the hybrid of both. celery/worker/strategy.py, docs/internals/protocol.rst
 * Never throws, and never runs code that a message carries: what is no task comes back as `malformed`, with all that is known of its sender.
 */
export function decodeTask(
  message: { readonly properties: MessageProperties; readonly body: Uint8Array },
  options: DecodeOptions = {},
): Decoded {
  const { properties, body } = message;
  const headers = properties.headers;
  const contentType = (properties.contentType ?? "application/json").split(";")[0]?.trim().toLowerCase() || "application/json";
  const isJson = contentType === "application/json";
  const reader = isJson ? undefined : own(options.readers, contentType);
  if (!isJson && reader === undefined) {
    return malformed("content-type", `content type ${JSON.stringify(contentType)} is refused; send application/json`, properties);
  }
  let read: (exact: boolean) => Value;
  let decoded: Value;
  try {
    const compression = headers["compression"];
    const plain = typeof compression === "string" && compression !== "" ? decompress(body, compression, options) : body;
    read = (exact) => (reader === undefined ? decodeJson(plain, { ...options.limits, exactFloats: exact }) : reader(plain, exact));
    decoded = read(false);
  } catch (error) {
    return malformed("decode", `the body cannot be read: ${error instanceof Error ? error.message : String(error)}`, properties);
  }
  const body1 = isMap(decoded) ? decoded : undefined;
  try {
    if (body1 === undefined && !("task" in headers)) throw new ShapeError("no task: neither a header nor a body names one");
    const parts = body1 === undefined ? partsOf(decoded, read) : hybrid(body1, read);
    const fields = body1 === undefined ? headers : { ...legacyHeaders(body1), ...headers };
    const task = readTask(fields, properties, parts);
    const protocol: TaskMessage["protocol"] = body1 !== undefined && !("task" in headers) ? 1 : 2;
    return { kind: "task", task: { ...task, ...enqueuedAt(properties), protocol, contentType, body } };
  } catch (error) {
    if (error instanceof ShapeError) return malformed("shape", error.message, properties, body1);
    throw error;
  }
}

/** Arguments and what follows the task, of either protocol. */
export interface TaskParts {
  readonly args: Value | undefined;
  readonly kwargs: Value | undefined;
  readonly embed: ValueMap;
}

function partsOf(decoded: Value, read: (exact: boolean) => Value): TaskParts {
  if (!isList(decoded) || decoded.length < 2 || decoded.length > 3) throw new ShapeError("the body is not [args, kwargs, embed]");
  const [args, kwargs, embed] = decoded;
  if (embed == null) return { args, kwargs, embed: {} };
  if (!isMap(embed)) throw new ShapeError("the third part of the body is not an object of callbacks, errbacks, chain and chord");
  if (Object.values(embed).every((part) => part === null || (isList(part) && part.length === 0))) return { args, kwargs, embed };
  const exact = read(true);
  return { args, kwargs, embed: isList(exact) && isMap(exact[2]) ? exact[2] : embed };
}

function hybrid(body: ValueMap, read: (exact: boolean) => Value): TaskParts {
  const exact = read(true);
  const { callbacks, errbacks, chord } = isMap(exact) ? exact : body;
  return {
    args: body["args"] ?? [],
    kwargs: body["kwargs"] ?? {},
    embed: { callbacks: callbacks ?? null, errbacks: errbacks ?? null, chord: chord ?? null },
  };
}

/** Protocol 1 keeps in the body what protocol 2 keeps in the headers. */
function legacyHeaders(body: ValueMap): Record<string, unknown> {
  const { args: _args, kwargs: _kwargs, callbacks: _callbacks, errbacks: _errbacks, chord: _chord, taskset, utc: _utc, ...fields } = body;
  return { ...fields, group: fields["group"] ?? taskset ?? null };
}

function enqueuedAt({ headers, timestamp }: MessageProperties): { readonly enqueuedAt?: number } {
  const stamped = headers[ENQUEUED_AT_HEADER];
  if (typeof stamped === "number" && Number.isFinite(stamped)) return { enqueuedAt: stamped };
  return timestamp === undefined ? {} : { enqueuedAt: timestamp * 1_000 };
}

function decompress(body: Uint8Array, compression: string, options: DecodeOptions): Uint8Array {
  if (options.decompress === undefined) throw new Error(`compression ${JSON.stringify(compression)} is not supported`);
  return options.decompress(body, compression);
}

function malformed(code: Malformed["code"], reason: string, properties: MessageProperties, body?: ValueMap): Malformed {
  const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
  const id = text(properties.headers["id"]) ?? text(body?.["id"]) ?? text(properties.correlationId);
  const name = text(properties.headers["task"]) ?? text(body?.["task"]);
  const replyTo = text(properties.replyTo);
  const correlationId = text(properties.correlationId);
  if (id === undefined && replyTo === undefined) return { kind: "malformed", reason, code };
  const answer = { ...(id && { id }), ...(name && { name }), ...(replyTo && { replyTo }), ...(correlationId && { correlationId }) };
  return { kind: "malformed", reason, code, answer };
}

function own<T>(table: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return table !== undefined && Object.hasOwn(table, key) ? table[key] : undefined;
}
