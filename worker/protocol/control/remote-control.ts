import type { MessageProperties, Publication } from "../../ports.ts";
import { isList, isMap } from "../json/is-value.ts";
import { decodeJson, encodeJson } from "../json/json.ts";
import type { Value, ValueMap } from "../json/value.ts";

/** A worker's own queue on the fanout exchange `celery.pidbox`. kombu/pidbox.py */
export const pidboxQueue = (hostname: string): string => `${hostname}.celery.pidbox`;

/** One remote control call, already known to be for this worker. */
export interface ControlRequest {
  readonly kind: "request";
  readonly method: string;
  readonly arguments: ValueMap;
  /** Where the answer goes; absent when nobody waits for one. */
  readonly replyTo?: { readonly exchange: string; readonly routingKey: string };
  readonly ticket?: string;
  /** The sender's Lamport clock: ours must be moved beyond it. */
  readonly clock: number;
}

/** Requests are small: anything larger is somebody's mistake, or an attack. */
const LIMITS = { maxBytes: 1_048_576, maxDepth: 32 } as const;
const MAX_PATTERN = 256;

/**
 * Reads a remote control request. `ignored` says why a message is not for this worker, or is no request: nobody waits for an answer to those.
 * Never throws, whatever was sent.
 */
export function decodeControl(
  message: { readonly properties: MessageProperties; readonly body: Uint8Array },
  hostname: string,
): ControlRequest | { readonly kind: "ignored"; readonly reason: string } {
  let body: Value;
  try {
    body = decodeJson(message.body, LIMITS);
  } catch (error) {
    return ignored(`not readable: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isMap(body)) return ignored("not an object");
  const { method, arguments: args, destination, pattern, matcher, ticket, reply_to: replyTo } = body;
  if (typeof method !== "string") return ignored("no method");
  if (args != null && !isMap(args)) return ignored("the arguments are not an object");
  if (isList(destination) && destination.length > 0) {
    if (!destination.includes(hostname)) return ignored("for another worker");
  } else if (typeof pattern === "string" && pattern !== "" && typeof matcher === "string" && !matches(hostname, pattern, matcher)) {
    return ignored("for other workers");
  }
  const clock = message.properties.headers["clock"];
  return {
    kind: "request",
    method,
    arguments: args ?? {},
    clock: typeof clock === "number" && Number.isFinite(clock) ? clock : 0,
    ...(typeof ticket === "string" ? { ticket } : {}),
    ...replyAddress(replyTo),
  };
}

/** The answer to a request; undefined when nobody waits for one. `clock` is ours, already forwarded. Throws JsonError for a value that is none. */
export function encodeReply(request: ControlRequest, hostname: string, value: unknown, clock: number): Publication | undefined {
  if (request.replyTo === undefined) return undefined;
  return {
    exchange: request.replyTo.exchange,
    routingKey: request.replyTo.routingKey,
    properties: {
      contentType: "application/json",
      contentEncoding: "utf-8",
      deliveryMode: 1,
      priority: 0,
      headers: { ticket: request.ticket ?? null, clock },
    },
    body: Buffer.from(encodeJson({ [hostname]: value })),
  };
}

/** kombu/matcher.py: `glob` as Python's fnmatch, `pcre` as its `re.match`. A pattern that is wrong or too long matches nobody. */
function matches(hostname: string, pattern: string, matcher: string): boolean {
  if (pattern.length > MAX_PATTERN) return false;
  try {
    if (matcher === "glob") return new RegExp(`^${globSource(pattern)}$`, "s").test(hostname);
    return matcher === "pcre" && new RegExp(`^(?:${pattern})`).test(hostname);
  } catch {
    return false; // not a regular expression
  }
}

function globSource(pattern: string): string {
  return pattern.replace(/\[(!?)([^\]]+)\]|[.+^${}()|\\\][*?]/g, (char, negated: string | undefined, set: string | undefined) => {
    if (set !== undefined) return `[${negated === "!" ? "^" : ""}${set.replace(/[\\^]/g, "\\$&")}]`;
    return char === "*" ? ".*" : char === "?" ? "." : `\\${char}`;
  });
}

function replyAddress(value: Value | undefined): Pick<ControlRequest, "replyTo"> {
  if (!isMap(value)) return {};
  const { exchange, routing_key: routingKey } = value;
  return typeof exchange === "string" && typeof routingKey === "string" ? { replyTo: { exchange, routingKey } } : {};
}

function ignored(reason: string): { readonly kind: "ignored"; readonly reason: string } {
  return { kind: "ignored", reason };
}
