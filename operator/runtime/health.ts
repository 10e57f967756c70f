import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";

/** `cause` says in words what keeps it from being ready, or what is amiss although it is. */
export interface Check {
  readonly name: string;
  readonly state: () => { readonly ready: boolean; readonly cause?: string };
}

export interface HealthOptions {
  /** 0: any free one. */
  readonly port: number;
  /** Default all addresses: the kubelet asks from outside the pod. */
  readonly host?: string;
  readonly registry: Registry;
  /** What keeps the process from being alive, in words. */
  readonly stuck: () => readonly string[];
  readonly ready: readonly Check[];
}

export interface Health extends AsyncDisposable {
  readonly port: number;
}

type Answer = { readonly status: 200 | 404 | 503; readonly type: string; readonly body: string };

const plain = (status: Answer["status"], body: string): Answer => ({ status, type: "text/plain; charset=utf-8", body: `${body}\n` });

/**
 * `/healthz`: 503 when a loop is stuck; no answer at all when the event loop is. `/readyz`: 503 until every check is ready; a standby is ready too.
 * `/metrics`: Prometheus text. Shows no secret and takes no input. Throws when the port is taken.
 */
export async function startHealth({ port, host, registry, stuck, ready }: HealthOptions): Promise<Health> {
  const answer = async (path: string): Promise<Answer> => {
    if (path === "/healthz") {
      const causes = stuck();
      return causes.length === 0 ? plain(200, "ok") : plain(503, causes.join("\n"));
    }
    if (path === "/readyz") {
      const states = ready.map(({ name, state }) => ({ name, ...state() }));
      const lines = states.map((one) => `${one.ready ? "+" : "-"} ${one.name}${one.cause === undefined ? "" : `: ${one.cause}`}`);
      return plain(states.every((one) => one.ready) ? 200 : 503, lines.join("\n"));
    }
    if (path === "/metrics") return { status: 200, type: registry.contentType, body: await registry.metrics() };
    return plain(404, "try /healthz, /readyz or /metrics");
  };
  const server = createServer((request, response) => {
    answer((request.url ?? "/").split("?", 1)[0] ?? "/").then(
      (made) => send(response, made),
      (error: unknown) => send(response, plain(503, error instanceof Error ? error.message : String(error))),
    );
  });
  await listening(server, port, host);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server that listens has a TCP address
  const address = server.address() as AddressInfo;
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

function send(response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(body);
}

const listening = (server: Server, port: number, host: string | undefined): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host }, () => {
      server.off("error", reject);
      resolve();
    });
  });
