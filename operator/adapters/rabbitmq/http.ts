import http from "node:http";
import https from "node:https";
import { type BrokerEndpoint, BrokerError } from "../ports.ts";
import { describe, redacted } from "./errors.ts";
import { failureOf } from "./http-failure.ts";

/** RabbitMQ closes a connection that was idle for 5 s: let go of it before. */
const IDLE_MS = 3_000;
const DEADLINE_MS = 10_000;
/** For the answers that name everything of a vhost. */
export const LIST_DEADLINE_MS = 30_000;
/** 10,000 queues with their arguments are about 3 MB; this is there against an endless answer. */
const MAX_BYTES = 256 * 1024 * 1024;
const MAX_SOCKETS = 16;

export interface Call {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** Below `/api`, its parts percent-encoded. */
  readonly path: string;
  readonly body?: unknown;
  /** Default 10,000. */
  readonly deadlineMs?: number;
}

/** The management API of one broker. */
export interface ManagementApi extends Disposable {
  /** The answer's JSON, undefined when it has none. Throws `BrokerError`; what is not there is `missing`. */
  call(call: Call): Promise<unknown>;
  /** As `call`, with the answer's ETag where it has one. "unchanged" when it still is the one that is given. */
  callUnless(etag: string | undefined, call: Call): Promise<Tagged | "unchanged">;
}

export interface Tagged {
  readonly json: unknown;
  readonly etag?: string;
}

/**
 * Talks to the management API over connections that are kept. A request on a kept connection that the broker closed meanwhile is sent once more:
 * every request that topology makes may be repeated. Never follows a redirect, never shows the login.
 */
export function openManagement({ management, tls, trust, display }: BrokerEndpoint): ManagementApi {
  const secure = management.url.startsWith("https:");
  const Agent = secure ? https.Agent : http.Agent;
  const agent = new Agent({ keepAlive: true, timeout: IDLE_MS, maxSockets: MAX_SOCKETS, scheduling: "lifo", ...(secure ? trust : {}) });
  const authorization = `Basic ${Buffer.from(`${management.username}:${management.password}`).toString("base64")}`;
  const shown = `management API of ${display} (${management.url})`;

  const send = ({ method, path, body, deadlineMs = DEADLINE_MS }: Call, etag?: string): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const asked = {
        authorization,
        accept: "application/json, */*;q=0.1",
        ...(text === undefined ? {} : { "content-type": "application/json" }),
        ...(etag === undefined ? {} : { "if-none-match": etag }),
      };
      const options = { agent, method, headers: asked, signal: AbortSignal.timeout(deadlineMs) };
      const request = (secure ? https : http).request(`${management.url}/api${path}`, options, (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > MAX_BYTES) response.destroy(new Error(`the answer has more than ${MAX_BYTES} bytes`));
          else chunks.push(chunk);
        });
        const { statusCode: status = 0, headers } = response;
        response.on("end", () => resolve({ status, text: Buffer.concat(chunks).toString("utf8"), etag: headers.etag }));
        response.on("error", reject);
      });
      request.on("error", (error) => reject(new RequestFailure(error, request.reusedSocket)));
      request.end(text);
    });

  const answered = async (call: Call, etag?: string): Promise<Answer> => {
    const answer = await send(call, etag)
      .catch((error: unknown) => {
        if (error instanceof RequestFailure && error.stale) return send(call, etag);
        throw error;
      })
      .catch((error: unknown) => {
        throw new BrokerError("unreachable", "management", `cannot reach the ${shown}: ${explain(error, tls, management.password)}`);
      });
    const { status, text } = answer;
    if ((status < 200 || status > 299) && status !== 304) throw failureOf(status, text, "the broker answers", management.password);
    return answer;
  };
  const jsonOf = ({ text }: Answer): unknown => (text === "" ? undefined : parsed(text, shown));

  return {
    call: async (call) => jsonOf(await answered(call)),
    async callUnless(known, call) {
      const answer = await answered(call, known);
      if (answer.status === 304) return "unchanged";
      return { json: jsonOf(answer), ...(answer.etag === undefined ? {} : { etag: answer.etag }) };
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly etag: string | undefined;
}

class RequestFailure extends Error {
  override readonly name = "RequestFailure";
  /** A kept connection that turned out to be closed: nothing was wrong with the request. */
  readonly stale: boolean;

  constructor(cause: Error, reused: boolean) {
    super(describe(cause));
    this.stale = reused && "code" in cause && (cause.code === "ECONNRESET" || cause.code === "EPIPE");
  }
}

function explain(error: unknown, amqpHasTls: boolean, password: string): string {
  const text = redacted(describe(error), password);
  const hint =
    amqpHasTls && /wrong version number|packet length/i.test(text) ? "; it has no TLS there: set managementFrom with http://" : "";
  return `${/abort|timeout/i.test(text) ? "no answer in time" : text}${hint}`;
}

function parsed(text: string, shown: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BrokerError("invalid", "management", `the ${shown} does not answer with JSON: is it RabbitMQ's?`);
  }
}
