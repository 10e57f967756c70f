import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** AMQP 0-9-1, section 2.3.5: type, channel and size, then the payload, then one byte at the end. */
const FRAME_HEADER = 7;
const FRAME_END = 1;
const METHOD_FRAME = 1;
const PROTOCOL_HEADER = 8;
/** Class queue, method declare: 50 and 10, two bytes each. */
const QUEUE_DECLARE = 0x0032000a;

/** Stands between clients and a broker and counts queue declares, passive ones included. */
export interface CountingAmqp extends AsyncDisposable {
  readonly port: number;
  declares(): number;
}

/** Passes every byte on as it is. */
export async function countDeclares(host: string, port: number): Promise<CountingAmqp> {
  let count = 0;
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    const broker = connect({ host, port, noDelay: true });
    const counter = frames((method) => {
      if (method === QUEUE_DECLARE) count += 1;
    });
    client.on("data", counter);
    client.pipe(broker).pipe(client);
    for (const socket of [client, broker]) {
      sockets.add(socket);
      socket.on("error", () => undefined); // Its `close` follows, and ends the other side.
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        broker.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    declares: () => count,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Takes the bytes of one connection and calls back with the class and method of every method frame. */
function frames(onMethod: (method: number) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let greeted = false;
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    if (!greeted && rest.length >= PROTOCOL_HEADER) {
      greeted = true;
      at = PROTOCOL_HEADER;
    }
    while (greeted && rest.length - at >= FRAME_HEADER) {
      const end = at + FRAME_HEADER + rest.readUInt32BE(at + 3) + FRAME_END;
      if (rest.length < end) break;
      if (rest[at] === METHOD_FRAME) onMethod(rest.readUInt32BE(at + FRAME_HEADER));
      at = end;
    }
    rest = rest.subarray(at);
  };
}
