import type { BitReader } from "./bit-reader.ts";

/** Reads one symbol. */
export type HuffmanTable = (read: BitReader) => number;

const MAX_BITS = 20;

const damaged = (): Error => new Error("the bzip2 data is damaged");

/** What stands before a block's symbols: the bytes that occur, which table each group of symbols uses, and the tables. Throws an Error for what is damaged. */
export function readTables(read: BitReader): {
  readonly alphabet: Uint8Array;
  readonly selectors: Uint8Array;
  readonly tables: readonly HuffmanTable[];
} {
  const alphabet = readAlphabet(read);
  const groups = read(3);
  const count = read(15);
  if (alphabet.length === 0 || groups < 2 || groups > 6 || count === 0) throw damaged();
  const order = Array.from({ length: groups }, (_, group) => group);
  const selectors = new Uint8Array(count);
  for (let at = 0; at < count; at += 1) {
    let place = 0;
    while (read(1) === 1) place += 1;
    const [group] = order.splice(place, 1);
    if (group === undefined) throw damaged();
    order.unshift(group);
    selectors[at] = group;
  }
  const tables = Array.from({ length: groups }, () => readTable(read, alphabet.length + 2));
  return { alphabet, selectors, tables };
}

function readAlphabet(read: BitReader): Uint8Array {
  const ranges = read(16);
  const bytes: number[] = [];
  for (let range = 0; range < 16; range += 1) {
    if ((ranges & (0x8000 >> range)) === 0) continue;
    const used = read(16);
    for (let place = 0; place < 16; place += 1) if ((used & (0x8000 >> place)) !== 0) bytes.push(range * 16 + place);
  }
  return Uint8Array.from(bytes);
}

/** A canonical Huffman code: shorter codes first, then by symbol. */
function readTable(read: BitReader, symbols: number): HuffmanTable {
  const lengths = new Uint8Array(symbols);
  let length = read(5);
  for (let symbol = 0; symbol < symbols; symbol += 1) {
    for (;;) {
      if (length < 1 || length > MAX_BITS) throw damaged();
      if (read(1) === 0) break;
      length += read(1) === 0 ? 1 : -1;
    }
    lengths[symbol] = length;
  }
  const sorted = [...lengths.keys()].sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b);
  const counts = new Uint32Array(MAX_BITS + 1);
  for (const each of lengths) counts[each] = (counts[each] ?? 0) + 1;
  return (next) => {
    let code = 0;
    let first = 0;
    let index = 0;
    for (let bits = 1; bits <= MAX_BITS; bits += 1) {
      code = (code << 1) | next(1);
      const count = counts[bits] ?? 0;
      const symbol = sorted[index + code - first];
      if (code - first < count && symbol !== undefined) return symbol;
      index += count;
      first = (first + count) << 1;
    }
    throw damaged();
  };
}
