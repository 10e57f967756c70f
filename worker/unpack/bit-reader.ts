export interface BitReader {
  /** The next `count` bits, at most 24, as a number. Throws an Error at the end of the input. */
  (count: number): number;
}

/** Reads bits from the highest of each byte down. Never reads past the end. */
export function bitReader(input: Uint8Array): BitReader {
  let at = 0;
  let held = 0;
  let bits = 0;
  return (count) => {
    while (bits < count) {
      const byte = input[at];
      if (byte === undefined) throw new Error("the data ends too early");
      held = ((held << 8) | byte) & 0x7fff_ffff;
      at += 1;
      bits += 8;
    }
    bits -= count;
    const found = held >>> bits;
    held &= (1 << bits) - 1;
    return found;
  };
}
