import { JsonError } from "./json/json-error.ts";
import { PyFloat, type Value } from "./json/value.ts";

/**
 * Reads one msgpack value, as kombu's `application/x-msgpack` carries tasks: binary stays bytes, text is UTF-8, integers beyond 2^53 are bigint.
 * Timestamps become dates; other extensions are refused. `exact` keeps whole floats apart from integers.
 * Source: github.com/msgpack/msgpack/blob/master/spec.md. Throws JsonError; never reads beyond the end, nor deeper than `maxDepth`.
 */
export function decodeMsgpack(bytes: Uint8Array, exact = false, maxDepth = 512): Value {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;

  const fail = (what: string): never => {
    throw new JsonError("syntax", `${what} at byte ${at}`);
  };
  const take = (size: number): number => {
    if (size > bytes.length - at) fail("the text ends too early");
    const start = at;
    at += size;
    return start;
  };
  const uint = (size: 1 | 2 | 4): number => {
    const start = take(size);
    return size === 1 ? view.getUint8(start) : size === 2 ? view.getUint16(start) : view.getUint32(start);
  };
  const int = (size: 1 | 2 | 4): number => {
    const start = take(size);
    return size === 1 ? view.getInt8(start) : size === 2 ? view.getInt16(start) : view.getInt32(start);
  };
  const wide = (value: bigint): number | bigint => (Number.isSafeInteger(Number(value)) ? Number(value) : value);
  const float = (value: number): Value => (exact && Number.isInteger(value) ? new PyFloat(value) : value);
  const raw = (size: number): Uint8Array => new Uint8Array(bytes.subarray(take(size), at));
  const text = (size: number): string => {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw(size));
    } catch (error) {
      if (error instanceof JsonError) throw error;
      return fail("text that is not UTF-8");
    }
  };

  function list(size: number, depth: number): Value {
    if (size > bytes.length - at) fail("the list ends too early");
    return Array.from({ length: size }, () => value(depth));
  }

  function map(size: number, depth: number): Value {
    if (size > bytes.length - at) fail("the map ends too early");
    const entries: { [key: string]: Value } = {};
    for (let index = 0; index < size; index += 1) {
      const key = value(depth);
      if (typeof key !== "string" && typeof key !== "number") fail("a key that is no text");
      Object.defineProperty(entries, String(key), { value: value(depth), enumerable: true, writable: true, configurable: true });
    }
    return entries;
  }

  /** Type -1 is a timestamp, in three sizes. */
  function extension(size: number): Value {
    const type = int(1);
    const start = take(size);
    if (type !== -1) fail(`extension type ${type} is not supported`);
    if (size === 4) return new Date(view.getUint32(start) * 1_000);
    if (size === 8) {
      const both = view.getBigUint64(start);
      return new Date(Number(both & 0x3_ffff_ffffn) * 1_000 + Number(both >> 34n) / 1e6);
    }
    if (size === 12) return new Date(Number(view.getBigInt64(start + 4)) * 1_000 + view.getUint32(start) / 1e6);
    return fail("a timestamp of an unknown size");
  }

  function value(depth: number): Value {
    const type = uint(1);
    const compound = (type >= 0x80 && type <= 0x9f) || (type >= 0xdc && type <= 0xdf);
    if (compound && depth >= maxDepth) throw new JsonError("depth", `nested deeper than ${maxDepth}`);
    if (type <= 0x7f) return type;
    if (type <= 0x8f) return map(type & 0x0f, depth + 1);
    if (type <= 0x9f) return list(type & 0x0f, depth + 1);
    if (type <= 0xbf) return text(type & 0x1f);
    if (type >= 0xe0) return type - 0x100;
    const read = READ[type];
    return read === undefined ? fail(`unknown type 0x${type.toString(16)}`) : read(depth);
  }

  const READ: Readonly<Record<number, (depth: number) => Value>> = {
    0xc0: () => null,
    0xc2: () => false,
    0xc3: () => true,
    0xc4: () => raw(uint(1)),
    0xc5: () => raw(uint(2)),
    0xc6: () => raw(uint(4)),
    0xc7: () => extension(uint(1)),
    0xc8: () => extension(uint(2)),
    0xc9: () => extension(uint(4)),
    0xca: () => float(view.getFloat32(take(4))),
    0xcb: () => float(view.getFloat64(take(8))),
    0xcc: () => uint(1),
    0xcd: () => uint(2),
    0xce: () => uint(4),
    0xcf: () => wide(view.getBigUint64(take(8))),
    0xd0: () => int(1),
    0xd1: () => int(2),
    0xd2: () => int(4),
    0xd3: () => wide(view.getBigInt64(take(8))),
    0xd4: () => extension(1),
    0xd5: () => extension(2),
    0xd6: () => extension(4),
    0xd7: () => extension(8),
    0xd8: () => extension(16),
    0xd9: () => text(uint(1)),
    0xda: () => text(uint(2)),
    0xdb: () => text(uint(4)),
    0xdc: (depth) => list(uint(2), depth + 1),
    0xdd: (depth) => list(uint(4), depth + 1),
    0xde: (depth) => map(uint(2), depth + 1),
    0xdf: (depth) => map(uint(4), depth + 1),
  };

  const found = value(0);
  if (at < bytes.length) fail("something after the end");
  return found;
}
