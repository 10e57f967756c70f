import { Agent, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

/** Stands in front of an HTTP server and counts what is asked of it. */
export interface CountingHttp extends AsyncDisposable {
  readonly port: number;
  /** Requests so far. */
  requests(): number;
}

/** Passes every request on as it is; never repeats one. `target`: `http://host:port`. */
export async function countHttp(target: string): Promise<CountingHttp> {
  const { hostname, port } = new URL(target);
  const agent = new Agent({ keepAlive: true });
  let count = 0;
  const server = createServer((incoming, outgoing) => {
    count += 1;
    const { method, url: path, headers } = incoming;
    const upstream = request({ hostname, port, method, path, headers, agent }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    upstream.on("error", () => outgoing.destroy());
    incoming.pipe(upstream);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    requests: () => count,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      agent.destroy();
    },
  };
}
