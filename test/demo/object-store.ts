import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** One stored object, one line in the ledger: this is how the demo knows how often each task's effect ran. */
export interface Stored {
  readonly name: string;
  readonly sha256: string;
  readonly bytes: number;
}

export interface ObjectStore extends AsyncDisposable {
  readonly port: number;
  /** Every PUT that arrived, in order, repeated ones included. */
  readonly ledger: readonly Stored[];
}

const LARGEST_OBJECT = 8 * 1024 * 1024;

async function bodyOf(request: IncomingMessage): Promise<Buffer | "too large"> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_OBJECT) return "too large";
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * A small object store over HTTP, in place of the S3 that a real pool would use: `GET /clips/<name>` and `PUT /out/<name>`.
 * It answers as slowly as one across a network (`latencyMs`), so that tasks wait as well as compute. A PUT never fails because the object
 * is there already: what arrived twice stands twice in the ledger.
 */
export async function startObjectStore(folders: { clips: string; out: string }, token: string, latencyMs: number): Promise<ObjectStore> {
  const ledger: Stored[] = [];
  await mkdir(folders.out, { recursive: true });
  const server = createServer((request, response) => {
    const answer = (status: number, body?: Buffer) => response.writeHead(status).end(body);
    void (async () => {
      const [, given, folder, file = ""] = (request.url ?? "").split("/");
      const name = basename(decodeURIComponent(file));
      if (given !== token) return answer(403);
      if (request.method === "GET" && folder === "clips") {
        await delay(latencyMs);
        return answer(200, await readFile(join(folders.clips, name)));
      }
      if (request.method === "PUT" && folder === "out") {
        const body = await bodyOf(request);
        if (body === "too large") return answer(413);
        ledger.push({ name, bytes: body.length, sha256: createHash("sha256").update(body).digest("hex") });
        await writeFile(join(folders.out, name), body);
        await delay(latencyMs);
        return answer(201);
      }
      return answer(404);
    })().catch((error: NodeJS.ErrnoException) => answer(error.code === "ENOENT" ? 404 : 500));
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject).listen(0, "0.0.0.0", resolve);
  await promise;
  return {
    port: (server.address() as AddressInfo).port,
    ledger,
    [Symbol.asyncDispose]: () => {
      server.closeAllConnections();
      return new Promise((done) => server.close(() => done()));
    },
  };
}
