import { lzma, type Output } from "./lzma.ts";

const MAGIC = "fd377a585a00";
const LZMA2 = 0x21;

/** Bytes of the check sum after each block, by the stream's flag. */
const CHECK_BYTES: Readonly<Record<number, number>> = { 0: 0, 1: 4, 4: 8, 10: 32 };

const damaged = (): Error => new Error("the xz data is damaged");

/**
 * Unpacks an .xz file as Python's `lzma.compress` writes it: blocks of LZMA2 (the .xz file format 1.2.1, tukaani.org). Never grows beyond
 * `maxBytes`; does not verify the check sums, and knows no other filters. Throws an Error for what is damaged, too large or filtered otherwise.
 */
export function unxz(input: Uint8Array, maxBytes: number): Uint8Array {
  if (Buffer.from(input.subarray(0, 6)).toString("hex") !== MAGIC) throw new Error("this is no xz data");
  const check = CHECK_BYTES[input[7] ?? -1];
  if (check === undefined) throw damaged();
  const output: Output = { bytes: new Uint8Array(Math.min(maxBytes, Math.max(4_096, input.length * 4))), at: 0, dictionary: 0 };
  let at = 12;
  // A block's header says its length; a zero there begins the index, which only says again what was.
  for (let size = input[at]; size !== 0; size = input[at]) {
    if (size === undefined) throw damaged();
    checkFilter(input.subarray(at, at + (size + 1) * 4));
    const end = readChunks(input, at + (size + 1) * 4, output, maxBytes);
    at = ((end + 3) & ~3) + check;
  }
  return output.bytes.subarray(0, output.at);
}

function checkFilter(header: Uint8Array): void {
  const flags = header[1] ?? 0;
  let at = 2;
  // The sizes, where they are told, are numbers of seven bits a byte.
  for (const told of [flags & 0x40, flags & 0x80]) {
    if (told === 0) continue;
    while (((header[at] ?? 0) & 0x80) !== 0) at += 1;
    at += 1;
  }
  if ((flags & 3) !== 0 || header[at] !== LZMA2) throw new Error("xz data with filters other than LZMA2 is not supported");
}

/** Unpacks the chunks of a block and returns where they end. */
function readChunks(input: Uint8Array, from: number, output: Output, maxBytes: number): number {
  const decoder = lzma();
  let at = from;
  let ready = false;
  const word = (place: number): number => {
    const [high, low] = [input[place], input[place + 1]];
    if (high === undefined || low === undefined) throw damaged();
    return (high << 8) | low;
  };
  output.dictionary = output.at;
  for (let control = input[at]; control !== 0; control = input[at]) {
    if (control === undefined || (control > 2 && control < 0x80)) throw damaged();
    const packed = control >= 0x80;
    const size = (packed ? (control & 0x1f) << 16 : 0) + word(at + 1) + 1;
    makeRoom(output, size, maxBytes);
    if (control === 1 || control >= 0xe0) output.dictionary = output.at;
    if (!packed) {
      const plain = input.subarray(at + 3, at + 3 + size);
      if (plain.length < size) throw damaged();
      output.bytes.set(plain, output.at);
      output.at += size;
      at += 3 + size;
      continue;
    }
    const length = word(at + 3) + 1;
    const fresh = control >= 0xc0;
    at += fresh ? 6 : 5;
    // Bits 5 and 6: 0 goes on, 1 forgets under the same properties, 2 and 3 under those of one more byte.
    if (fresh) decoder.reset(propertiesOf(input[at - 1] ?? 255));
    else if (control >= 0xa0) decoder.reset();
    if (!fresh && !ready) throw damaged();
    ready = true;
    if (at + length > input.length) throw damaged();
    decoder.decode(input.subarray(at, at + length), output, size);
    at += length;
  }
  return at + 1;
}

function propertiesOf(byte: number): { lc: number; lp: number; pb: number } {
  const lc = byte % 9;
  const lp = Math.floor(byte / 9) % 5;
  const pb = Math.floor(byte / 45);
  if (pb > 4 || lc + lp > 4) throw damaged();
  return { lc, lp, pb };
}

function makeRoom(output: Output, size: number, maxBytes: number): void {
  const needed = output.at + size;
  if (needed > maxBytes) throw new RangeError(`the data is larger than ${maxBytes} bytes`);
  if (needed <= output.bytes.length) return;
  const larger = new Uint8Array(Math.min(maxBytes, Math.max(needed, output.bytes.length * 2)));
  larger.set(output.bytes.subarray(0, output.at));
  output.bytes = larger;
}
