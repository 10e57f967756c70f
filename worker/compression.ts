import { brotliCompressSync, brotliDecompressSync, deflateSync, inflateSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";

/** Celery's «gzip» is zlib.compress: a zlib stream, no gzip file (kombu/compression.py). */
const GZIP = "application/x-gzip";
const BROTLI = "application/x-brotli";
const ZSTD = "application/zstd";

/** kombu's names of a method and their content types. */
const TYPES = { gzip: GZIP, zlib: GZIP, brotli: BROTLI, zstd: ZSTD } as const;

type Compression = keyof typeof TYPES;

const COMPRESS: Readonly<Record<string, (body: Uint8Array) => Uint8Array>> = {
  [GZIP]: deflateSync,
  [BROTLI]: brotliCompressSync,
  [ZSTD]: zstdCompressSync,
};
const DECOMPRESS: Readonly<Record<string, (body: Uint8Array, options: { maxOutputLength: number }) => Uint8Array>> = {
  [GZIP]: inflateSync,
  [BROTLI]: brotliDecompressSync,
  [ZSTD]: zstdDecompressSync,
};

/** A body compressed by one of kombu's methods, and the content type that says so. */
export function compress(body: Uint8Array, method: Compression): { readonly body: Uint8Array; readonly contentType: string } {
  const contentType = TYPES[method];
  return { body: COMPRESS[contentType]?.(body) ?? body, contentType };
}

/**
 * Undoes the header `compression` of a message, or that of a result. Never grows beyond `maxBytes`, however little came in.
 * Throws for what is damaged, too large, or compressed otherwise (bzip2 and lzma are not known here).
 */
export function decompress(body: Uint8Array, compression: string, maxBytes = 64 * 1024 * 1024): Uint8Array {
  const method = Object.hasOwn(DECOMPRESS, compression) ? DECOMPRESS[compression] : undefined;
  if (method === undefined) throw new Error(`compression ${JSON.stringify(compression)} is not supported; use gzip, brotli or zstd`);
  return method(body, { maxOutputLength: maxBytes });
}
