import { brotliDecompressSync, inflateSync, zstdDecompressSync } from "node:zlib";
import type { MessageProperties } from "../ports.ts";
import { decodeTask } from "../protocol/message.ts";
import { BODY_READERS } from "../protocol/readers.ts";
import type { Decoded } from "../protocol/task-message.ts";

/** A small message must not become a large one here. */
const LIMIT = { maxOutputLength: 16 * 1024 * 1024 } as const;

/** kombu/compression.py: its «gzip» is a zlib stream. */
const DECOMPRESSORS: Readonly<Record<string, (body: Uint8Array) => Uint8Array>> = {
  "application/x-gzip": (body) => inflateSync(body, LIMIT),
  "application/x-brotli": (body) => brotliDecompressSync(body, LIMIT),
  "application/zstd": (body) => zstdDecompressSync(body, LIMIT),
};

function decompress(body: Uint8Array, compression: string): Uint8Array {
  const known = Object.hasOwn(DECOMPRESSORS, compression) ? DECOMPRESSORS[compression] : undefined;
  if (known === undefined) throw new Error(`compression ${JSON.stringify(compression)} is not supported`);
  return known(body);
}

/** A message as a task, in every encoding that this worker takes. Never throws. */
export const decodeDelivery = (message: { readonly properties: MessageProperties; readonly body: Uint8Array }): Decoded =>
  decodeTask(message, { readers: BODY_READERS, decompress });
