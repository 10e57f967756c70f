import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface Health {
  /** The process is worth keeping. */
  readonly alive: () => boolean;
  /** It consumes, or is cordoned; never false because it is busy: the ReplicaSet controller would remove it first. */
  readonly ready: () => boolean;
  /** What is wrong all the same, for whoever reads the answer of `/readyz`. */
  readonly warning?: () => string | undefined;
  readonly metrics: () => Promise<string>;
}

export interface HttpServer extends AsyncDisposable {
  readonly port: number;
}

const okWith = (warning: string | undefined): string => (warning === undefined ? "ok\n" : `ok\nwarning: ${warning}\n`);

/** Serves `/healthz`, `/readyz` and `/metrics`. That it answers at all shows that the event loop turns. Port 0 takes a free one. */
export async function serveHttp(port: number, health: Health): Promise<HttpServer> {
  const routes: Readonly<Record<string, () => Promise<readonly [status: number, body: string]>>> = {
    "/healthz": async () => (health.alive() ? [200, "ok\n"] : [503, "not connected to the broker and the store for too long\n"]),
    "/readyz": async () => (health.ready() ? [200, okWith(health.warning?.())] : [503, "not consuming\n"]),
    "/metrics": async () => [200, await health.metrics()],
  };
  const server: Server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://worker").pathname;
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
    const answer = route === undefined ? Promise.resolve([404, "not found\n"] as const) : route();
    answer.then(
      ([status, body]) => response.writeHead(status, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }).end(body),
      () => response.writeHead(500).end("metrics failed\n"),
    );
  });
  server.listen(port);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}
