import { brotliDecompressSync, inflateSync, zstdDecompressSync } from "node:zlib";

const METHODS: Readonly<Record<string, (body: Uint8Array, options: { maxOutputLength: number }) => Uint8Array>> = {
  // Celery's «gzip» is zlib.compress: a zlib stream, no gzip file (kombu/compression.py).
  "application/x-gzip": inflateSync,
  "application/x-brotli": brotliDecompressSync,
  "application/zstd": zstdDecompressSync,
};

/**
 * Undoes the header `compression` of a message, or that of a result. Never grows beyond `maxBytes`, however little came in.
 * Throws for what is damaged, too large, or compressed otherwise (bzip2 and lzma are not known here).
 */
export function decompress(body: Uint8Array, compression: string, maxBytes = 64 * 1024 * 1024): Uint8Array {
  const method = Object.hasOwn(METHODS, compression) ? METHODS[compression] : undefined;
  if (method === undefined) throw new Error(`compression ${JSON.stringify(compression)} is not supported; use gzip, brotli or zstd`);
  return method(body, { maxOutputLength: maxBytes });
}
