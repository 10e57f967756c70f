import { type BitReader, bitReader } from "./bit-reader.ts";
import { type HuffmanTable, readTables } from "./bzip2-tables.ts";

const BLOCK = "314159265359";
const END = "177245385090";
/** A level is so many bytes of a block. */
const LEVEL_BYTES = 100_000;
/** Symbols after which another table is taken. */
const GROUP = 50;

const damaged = (): Error => new Error("the bzip2 data is damaged");

/**
 * Unpacks a bzip2 file as Python's `bz2.compress` writes it (bzip2 1.0: Burrows-Wheeler blocks under Huffman codes). Never grows beyond
 * `maxBytes`, and does not verify the check sums. Throws an Error for what is damaged or too large.
 */
export function bunzip2(input: Uint8Array, maxBytes: number): Uint8Array {
  const read = bitReader(input);
  const magic = String.fromCharCode(read(8), read(8), read(8));
  const level = read(8) - 0x30;
  if (magic !== "BZh" || level < 1 || level > 9) throw new Error("this is no bzip2 data");
  const output = growing(maxBytes);
  for (;;) {
    const mark = [read(24), read(24)].map((part) => part.toString(16).padStart(6, "0")).join("");
    if (mark === END) return output.done();
    if (mark !== BLOCK) throw damaged();
    read(16); // with the next 16 bits the block's check sum
    read(16);
    if (read(1) === 1) throw new Error("bzip2 data from before version 0.9.5 is not supported");
    const start = read(24);
    writeBlock(unsort(readSymbols(read, level * LEVEL_BYTES), start), output.push);
  }
}

/** The block's bytes in their sorted order: Huffman codes, runs of the first symbol, and positions in a list that moves what was used to its front. */
function readSymbols(read: BitReader, limit: number): Uint8Array {
  const { alphabet, selectors, tables } = readTables(read);
  const end = alphabet.length + 1;
  const block = new Uint8Array(limit);
  let at = 0;
  let run = 0;
  let weight = 1;
  for (let group = 0; ; group += 1) {
    const table: HuffmanTable | undefined = tables[selectors[group] ?? -1];
    if (table === undefined) throw damaged();
    for (let left = GROUP; left > 0; left -= 1) {
      const symbol = table(read);
      if (symbol <= 1) {
        run += weight << symbol;
        weight <<= 1;
        if (run > limit) throw damaged();
        continue;
      }
      const front = alphabet[0] ?? 0;
      if (at + run + 1 > limit && symbol !== end) throw damaged();
      if (at + run > limit) throw damaged();
      block.fill(front, at, at + run);
      at += run;
      run = 0;
      weight = 1;
      if (symbol === end) return block.subarray(0, at);
      const used = alphabet[symbol - 1];
      if (used === undefined) throw damaged();
      alphabet.copyWithin(1, 0, symbol - 1);
      alphabet[0] = used;
      block[at] = used;
      at += 1;
    }
  }
}

/** Undoes the Burrows-Wheeler transform. */
function unsort(block: Uint8Array, start: number): Uint8Array {
  if (block.length === 0) return block;
  if (start >= block.length) throw damaged();
  const places = new Uint32Array(256);
  for (const byte of block) places[byte] = (places[byte] ?? 0) + 1;
  let before = 0;
  for (const [byte, count] of places.entries()) {
    places[byte] = before;
    before += count;
  }
  const next = new Uint32Array(block.length);
  for (const [at, byte] of block.entries()) {
    const place = places[byte] ?? 0;
    next[place] = at;
    places[byte] = place + 1;
  }
  const plain = new Uint8Array(block.length);
  for (let at = 0, from = next[start] ?? 0; at < plain.length; at += 1, from = next[from] ?? 0) plain[at] = block[from] ?? 0;
  return plain;
}

/** Undoes the first step of packing: after four equal bytes stands how many more there are. */
function writeBlock(block: Uint8Array, push: (byte: number, count: number) => void): void {
  let last = -1;
  let same = 0;
  for (const byte of block) {
    if (same === 4) {
      push(last, byte);
      same = 0;
      last = -1;
      continue;
    }
    same = byte === last ? same + 1 : 1;
    last = byte;
    push(byte, 1);
  }
}

function growing(maxBytes: number): { push: (byte: number, count: number) => void; done: () => Uint8Array } {
  let bytes = new Uint8Array(Math.min(maxBytes, 65_536));
  let at = 0;
  return {
    push(byte, count) {
      if (at + count > maxBytes) throw new RangeError(`the data is larger than ${maxBytes} bytes`);
      if (at + count > bytes.length) {
        const larger = new Uint8Array(Math.min(maxBytes, bytes.length * 2 + count));
        larger.set(bytes);
        bytes = larger;
      }
      if (count === 1) bytes[at] = byte;
      else bytes.fill(byte, at, at + count);
      at += count;
    },
    done: () => bytes.subarray(0, at),
  };
}
