import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A TCP proxy on loopback whose connections a test can cut. */
export interface Proxy extends AsyncDisposable {
  readonly port: number;
  /** Ends every connection at once, without a goodbye. New ones are taken. */
  cut(): void;
  /** Refuses new connections, or takes them again. */
  refuse(refusing: boolean): void;
}

/** Forwards to a port of this machine. */
export async function openProxy(targetPort: number): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let refusing = false;
  const server = createServer((client) => {
    if (refusing) return void client.resetAndDestroy();
    const upstream = connect(targetPort, "127.0.0.1");
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    refuse: (value) => void (refusing = value),
    async [Symbol.asyncDispose]() {
      server.close();
      cut();
    },
  };
}
