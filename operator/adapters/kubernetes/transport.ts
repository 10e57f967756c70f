import * as http from "node:http";
import * as https from "node:https";
import { createSecureContext } from "node:tls";
import type { Access } from "./access.ts";
import { refused, unanswered } from "./failure.ts";

export interface Call {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: object;
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

/** As many as write side by side: a handshake costs more than a request. */
const FREE_SOCKETS = 32;

/** No answer within the deadline, in the words of the platform's own timeouts. */
const late = (): Error => new DOMException("The operation was aborted due to timeout", "TimeoutError");

/** Certificates are read once, and not for every connection. */
const sharing = (tls: Access["tls"]): Access["tls"] & Pick<https.AgentOptions, "secureContext"> => ({
  ...tls,
  secureContext: createSecureContext(tls),
});

/** HTTP to one API server over connections that are kept open. Every failure is a `KubeError`. */
export interface Transport extends Disposable {
  /** The answer's JSON. `deadlineMs` covers everything from the request to the last byte. */
  call(call: Call, deadlineMs: number): Promise<unknown>;
  /** The answer's bytes as they come. Throws when the answer is no success; from then on errors come out of the stream. */
  open(call: Call): Promise<http.IncomingMessage>;
}

export function createTransport(access: Access): Transport {
  const { hostname, port, protocol } = access.server;
  const secure = protocol === "https:";
  // TCP keep-alive after 15 s lets routers that drop idle connections keep the watches.
  const pool = { keepAlive: true, keepAliveMsecs: 15_000, maxFreeSockets: FREE_SOCKETS, scheduling: "lifo" } as const;
  const agent = access.agent ?? ofOneServer(secure ? new https.Agent({ ...pool, ...sharing(access.tls) }) : new http.Agent(pool));
  const base = access.server.pathname.replace(/\/$/, "");
  const target = { protocol, hostname: hostname.replace(/^\[|\]$/g, ""), port, agent };

  /** @param begun told of each request that is made, for whoever has to end it */
  const send = async (call: Call, begun: (request: http.ClientRequest) => void): Promise<http.IncomingMessage> => {
    const { method, path, body, contentType = "application/json", signal } = call;
    const authorization = await access.authorization();
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const headers: http.OutgoingHttpHeaders = {
      accept: "application/json",
      "user-agent": "longshore-operator",
      ...(authorization === undefined ? {} : { authorization }),
      ...(payload === undefined ? {} : { "content-type": contentType, "content-length": payload.length }),
    };
    const once = (again: boolean): Promise<http.IncomingMessage> =>
      new Promise((resolve, reject) => {
        const options = { ...target, method, path: base + path, headers, ...(signal === undefined ? {} : { signal }) };
        const request = (secure ? https : http).request(options, resolve);
        begun(request);
        request.on("error", (error: NodeJS.ErrnoException) => {
          // The server closed the idle connection as we began to use it. A POST might have been carried out nevertheless.
          const stale = again && request.reusedSocket && error.code === "ECONNRESET" && method !== "POST";
          if (stale) once(false).then(resolve, reject);
          else reject(error);
        });
        request.end(payload);
      });
    return once(true);
  };
  const opened = async (call: Call, what: string, begun: (request: http.ClientRequest) => void): Promise<http.IncomingMessage> => {
    const response = await send(call, begun);
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    throw refused(status, parsed(await textOf(response)), response.headers["retry-after"], what);
  };

  return {
    async open(call) {
      const what = `${call.method} ${call.path.split("?", 1)[0] ?? ""}`;
      try {
        return await opened(call, what, () => undefined);
      } catch (error) {
        throw unanswered(error, what);
      }
    },
    async call(call, deadlineMs) {
      const what = `${call.method} ${call.path.split("?", 1)[0] ?? ""}`;
      const over = Promise.withResolvers<never>();
      let request: http.ClientRequest | undefined;
      let ended = false;
      // A timer of our own: an AbortSignal for each of thousands of requests costs more than the request's own work.
      const timer = setTimeout(() => {
        ended = true;
        over.reject(late());
        request?.destroy(late());
      }, deadlineMs);
      const begun = (made: http.ClientRequest): void => {
        request = made;
        if (ended) made.destroy(late());
      };
      try {
        return parsed(await Promise.race([opened(call, what, begun).then(textOf), over.promise]));
      } catch (error) {
        throw unanswered(error, what);
      } finally {
        clearTimeout(timer);
      }
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}

/** All connections of this agent lead to one server: it need not put the certificates into a name for each request to tell them apart. */
function ofOneServer<A extends http.Agent>(agent: A): A {
  agent.getName = () => "kubernetes";
  return agent;
}

/** All of an answer. Without the stream's own iterator, which costs as much as the rest of a small request. */
function textOf(response: http.IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    response.on("error", reject);
    response.on("close", () => {
      if (!response.complete) reject(new Error("the connection was lost in the middle of an answer"));
    });
  });
}

/** JSON where it is JSON, else the text. */
function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
