import { expect, test } from "vitest";
import { readVectors } from "../test/vectors/load.ts";
import { compress, decompress } from "./compression.ts";

function noise(count: number): Uint8Array {
  let seed = 1n;
  return Uint8Array.from({ length: count }, () => {
    seed = (seed * 1_103_515_245n + 12_345n) & 0x7fff_ffffn;
    return Number((seed >> 16n) & 255n);
  });
}
const orders = (): string => Array.from({ length: 400 }, (_, at) => `[["order-${at}", ${at * at}], {"amount": ${at % 7}}]\n`).join("");
const PLAIN: Readonly<Record<string, Uint8Array>> = {
  nothing: Buffer.from(""),
  "a body": Buffer.from("[[1, 2], {}, {}]"),
  "a run": Buffer.alloc(3_000_000, "x"),
  noise: noise(300),
  orders: Buffer.from(orders()),
};

const rows = readVectors<{ name: string; bzip2: string; lzma: string }>("packed");

test.for(rows.flatMap((row) => (["bzip2", "lzma"] as const).map((method) => [row.name, method, row[method]] as const)))(
  "%s packed by Python's %s",
  ([name, method, packed]) => {
    const plain = decompress(Buffer.from(packed, "base64"), method === "bzip2" ? "application/x-bz2" : "application/x-lzma");
    expect(Buffer.compare(plain, PLAIN[name] ?? Buffer.from("?"))).toBe(0);
  },
);

test.for(["gzip", "zlib", "brotli", "zstd"] as const)("%s there and back, by its content type and its name", (method) => {
  const { body, contentType } = compress(PLAIN["orders"] ?? Buffer.alloc(0), method);
  for (const name of [contentType, method]) expect(Buffer.from(decompress(body, name)).toString()).toBe(orders());
});

test.for(["bzip2", "lzma"] as const)("a bomb of %s stops at the limit, and what is cut off or no such data is refused", (method) => {
  const bytes = (name: string): Buffer => Buffer.from(rows.find((row) => row.name === name)?.[method] ?? "", "base64");
  expect(() => decompress(bytes("a run"), method, 100_000)).toThrow("larger than 100000 bytes");
  for (const length of [0, 5, 20, 60, 200, 1_000]) expect(() => decompress(bytes("orders").subarray(0, length), method)).toThrow();
  expect(() => decompress(Buffer.from("[[], {}, {}] plain"), method)).toThrow("this is no");
});

test.for(["bzip2", "lzma"] as const)("damaged data of %s ends, one way or the other", (method) => {
  const packed = Buffer.from(rows.find(({ name }) => name === "orders")?.[method] ?? "", "base64");
  let refused = 0;
  for (let at = 12; at < packed.length; at += 41) {
    const damaged = Buffer.from(packed);
    damaged[at] = (damaged[at] ?? 0) ^ 0x10;
    try {
      decompress(damaged, method, 1_000_000);
    } catch {
      refused += 1;
    }
  }
  expect(refused).toBeGreaterThan(5);
});

test("what kombu does not know is refused by name", () => {
  expect(() => decompress(Buffer.from("x"), "application/x-foo")).toThrow('compression "application/x-foo" is not supported');
  expect(() => decompress(Buffer.from("x"), "toString")).toThrow("not supported");
});
