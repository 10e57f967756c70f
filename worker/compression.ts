import { brotliCompressSync, brotliDecompressSync, deflateSync, inflateSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { bunzip2 } from "./unpack/bunzip2.ts";
import { unxz } from "./unpack/xz.ts";

/** Celery's «gzip» is zlib.compress: a zlib stream, no gzip file (kombu/compression.py). */
const GZIP = "application/x-gzip";
const BROTLI = "application/x-brotli";
const ZSTD = "application/zstd";
const BZIP2 = "application/x-bz2";
/** Celery's «lzma» is lzma.compress: an .xz file. */
const LZMA = "application/x-lzma";

/** kombu's names of a method that may be written, and their content types. */
const TYPES = { gzip: GZIP, zlib: GZIP, brotli: BROTLI, zstd: ZSTD } as const;

/** What kombu reads by another name than a content type. */
const ALIASES: Readonly<Record<string, string>> = {
  ...TYPES,
  zstandard: ZSTD,
  bzip2: BZIP2,
  bzip: BZIP2,
  lzma: LZMA,
  xz: LZMA,
};

type Compression = keyof typeof TYPES;

const COMPRESS: Readonly<Record<string, (body: Uint8Array) => Uint8Array>> = {
  [GZIP]: deflateSync,
  [BROTLI]: brotliCompressSync,
  [ZSTD]: zstdCompressSync,
};
const DECOMPRESS: Readonly<Record<string, (body: Uint8Array, maxOutputLength: number) => Uint8Array>> = {
  [GZIP]: (body, maxOutputLength) => inflateSync(body, { maxOutputLength }),
  [BROTLI]: (body, maxOutputLength) => brotliDecompressSync(body, { maxOutputLength }),
  [ZSTD]: (body, maxOutputLength) => zstdDecompressSync(body, { maxOutputLength }),
  [BZIP2]: bunzip2,
  [LZMA]: unxz,
};

const own = <T>(table: Readonly<Record<string, T>>, key: string): T | undefined => (Object.hasOwn(table, key) ? table[key] : undefined);

/** A body compressed by one of kombu's methods, and the content type that says so. */
export function compress(body: Uint8Array, method: Compression): { readonly body: Uint8Array; readonly contentType: string } {
  const contentType = TYPES[method];
  return { body: COMPRESS[contentType]?.(body) ?? body, contentType };
}

/**
 * Undoes the header `compression` of a message, or that of a result: all that kombu registers. Never grows beyond `maxBytes`, however little
 * came in. Throws for what is damaged, too large, or compressed otherwise.
 */
export function decompress(body: Uint8Array, compression: string, maxBytes = 64 * 1024 * 1024): Uint8Array {
  const method = own(DECOMPRESS, own(ALIASES, compression) ?? compression);
  if (method === undefined) {
    throw new Error(`compression ${JSON.stringify(compression)} is not supported; use gzip, brotli, zstd, bzip2 or lzma`);
  }
  return method(body, maxBytes);
}
