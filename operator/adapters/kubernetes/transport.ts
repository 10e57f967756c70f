import * as http from "node:http";
import * as https from "node:https";
import { text } from "node:stream/consumers";
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
  const secure = access.server.protocol === "https:";
  // TCP keep-alive after 15 s lets routers that drop idle connections keep the watches.
  const pool = { keepAlive: true, keepAliveMsecs: 15_000, maxFreeSockets: FREE_SOCKETS, scheduling: "lifo" } as const;
  const agent = access.agent ?? (secure ? new https.Agent({ ...pool, ...sharing(access.tls) }) : new http.Agent(pool));
  const base = access.server.pathname.replace(/\/$/, "");

  const send = async ({ method, path, body, contentType = "application/json", signal }: Call): Promise<http.IncomingMessage> => {
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
        const options = { method, headers, agent, ...(signal === undefined ? {} : { signal }) };
        const request = (secure ? https : http).request(new URL(base + path, access.server), options, resolve);
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

  const open = async (call: Call): Promise<http.IncomingMessage> => {
    const what = `${call.method} ${call.path.split("?", 1)[0] ?? ""}`;
    try {
      const response = await send(call);
      const status = response.statusCode ?? 0;
      if (status >= 200 && status < 300) return response;
      throw refused(status, parsed(await text(response)), response.headers["retry-after"], what);
    } catch (error) {
      throw unanswered(error, what);
    }
  };

  return {
    open,
    async call(call, deadlineMs) {
      const deadline = AbortSignal.timeout(deadlineMs);
      const signal = call.signal === undefined ? deadline : AbortSignal.any([call.signal, deadline]);
      const response = await open({ ...call, signal });
      try {
        return parsed(await text(response));
      } catch (error) {
        throw unanswered(error, `${call.method} ${call.path}`);
      }
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}

/** JSON where it is JSON, else the text. */
function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
