import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import type { Access } from "../../operator/adapters/kubernetes/access.ts";

/** A man in the middle between us and a real API server, who makes the trouble that networks and servers make. */
export interface ApiProxy extends AsyncDisposable {
  /** Through the proxy. */
  readonly access: Access;
  /** Breaks every connection, and answers none from now on, until `mend`. */
  cut(): void;
  mend(): void;
  /** Holds back everything that the server sends, without closing anything, until `mend`. */
  freeze(): void;
  /** Ends every watch and answers everything with this status, until `mend`. */
  refuse(status: number): void;
  /** Changes the path of the next request that fits, or answers it itself. */
  next(
    fits: (path: string) => boolean,
    act: (path: string) => string | { readonly status: number; readonly headers: Record<string, string>; readonly body?: string },
  ): void;
  /** What was asked for so far, with its query, and when it came (monotonic ms). */
  readonly asked: readonly { readonly path: string; readonly at: number }[];
}

type Trick = Parameters<ApiProxy["next"]>;

export async function startApiProxy(access: Access): Promise<ApiProxy> {
  const asked: { readonly path: string; readonly at: number }[] = [];
  const tricks: Trick[] = [];
  /** Answers under way, from the server to whom they go. */
  const answers = new Map<IncomingMessage, ServerResponse>();
  let [isCut, isFrozen] = [false, false];
  let refusal: number | undefined;

  const listener: RequestListener = (incoming, outgoing) => {
    let path = incoming.url ?? "/";
    asked.push({ path, at: performance.now() });
    if (refusal !== undefined) return void outgoing.writeHead(refusal, { "retry-after": "1" }).end();
    const index = tricks.findIndex(([fits]) => fits(path));
    const [trick] = index < 0 ? [] : tricks.splice(index, 1);
    const answer = trick?.[1](path);
    if (typeof answer === "object") return void outgoing.writeHead(answer.status, answer.headers).end(answer.body);
    path = answer ?? path;
    const upstream = request(
      new URL(path, access.server),
      { ...access.tls, agent: false, method: incoming.method, headers: incoming.headers },
      (response) => {
        outgoing.writeHead(response.statusCode ?? 502, response.headers);
        outgoing.flushHeaders();
        answers.set(response, outgoing);
        response.on("close", () => answers.delete(response));
        if (!isFrozen) response.pipe(outgoing);
      },
    );
    upstream.on("error", () => outgoing.destroy());
    outgoing.on("close", () => upstream.destroy());
    incoming.pipe(upstream);
  };
  const server = createServer(listener);
  server.on("connection", (socket) => {
    if (isCut) socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  return {
    access: { ...access, server: new URL(`http://127.0.0.1:${port}`), tls: {} },
    asked,
    cut() {
      isCut = true;
      server.closeAllConnections();
    },
    freeze() {
      isFrozen = true;
      for (const [response, outgoing] of answers) response.unpipe(outgoing);
    },
    refuse(status) {
      refusal = status;
      for (const [response, outgoing] of answers) {
        response.destroy();
        outgoing.end();
      }
    },
    mend() {
      refusal = undefined;
      [isCut, isFrozen] = [false, false];
      for (const [response, outgoing] of answers) response.pipe(outgoing);
    },
    next: (...trick) => void tricks.push(trick),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}
