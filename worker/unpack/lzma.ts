import { type RangeDecoder, rangeDecoder } from "./range-decoder.ts";

/** LZMA's parameters: bits of context for a literal, and of the position for literals and for all else. */
export interface LzmaProperties {
  readonly lc: number;
  readonly lp: number;
  readonly pb: number;
}

/** What is written, and where the dictionary begins: nothing before it may be copied. */
export interface Output {
  bytes: Uint8Array;
  at: number;
  dictionary: number;
}

/** Where each set of probabilities lies. All of them start at one half. */
const LAYOUT = {
  isMatch: 0,
  isRep: 192,
  isRepG0: 204,
  isRepG1: 216,
  isRepG2: 228,
  isRep0Long: 240,
  posSlot: 432,
  special: 688,
  align: 803,
};
const LENGTH = { choice: 0, low: 2, mid: 130, high: 258, size: 514 };
const LENGTHS = 819;
const REP_LENGTHS = LENGTHS + LENGTH.size;
const LITERALS = REP_LENGTHS + LENGTH.size;

export interface Lzma {
  /** Forgets all that was learned; without properties, those before stay. */
  reset(properties?: LzmaProperties): void;
  /** Writes exactly `size` bytes, which must fit into the output. Throws an Error for what is damaged. */
  decode(input: Uint8Array, output: Output, size: number): void;
}

/** A decoder of raw LZMA, as its specification has it (lzma-specification.txt of the LZMA SDK, Igor Pavlov, public domain). Never allocates per byte. */
export function lzma(): Lzma {
  let probabilities = new Uint16Array(0);
  let given: LzmaProperties = { lc: 0, lp: 0, pb: 0 };
  let state = 0;
  let rep0 = 0;
  let rep1 = 0;
  let rep2 = 0;
  let rep3 = 0;
  let coder: RangeDecoder = rangeDecoder(new Uint8Array(5), probabilities);

  const length = (base: number, position: number): number => {
    if (coder.bit(base + LENGTH.choice) === 0) return coder.tree(base + LENGTH.low + (position << 3), 3);
    if (coder.bit(base + LENGTH.choice + 1) === 0) return 8 + coder.tree(base + LENGTH.mid + (position << 3), 3);
    return 16 + coder.tree(base + LENGTH.high, 8);
  };

  const distance = (matched: number): number => {
    const slot = coder.tree(LAYOUT.posSlot + (Math.min(matched, 3) << 6), 6);
    if (slot < 4) return slot;
    const direct = (slot >> 1) - 1;
    const base = ((2 | (slot & 1)) << direct) >>> 0;
    if (slot < 14) return base + coder.reverse(LAYOUT.special + base - slot, direct);
    return base + coder.direct(direct - 4) * 16 + coder.reverse(LAYOUT.align, 4);
  };

  const literal = (output: Output): void => {
    const { bytes, at, dictionary } = output;
    const before = at > dictionary ? (bytes[at - 1] ?? 0) : 0;
    const base = LITERALS + 0x300 * ((((at - dictionary) & ((1 << given.lp) - 1)) << given.lc) + (before >> (8 - given.lc)));
    let symbol = 1;
    if (state >= 7) {
      let match = bytes[at - rep0 - 1] ?? 0;
      while (symbol < 0x100) {
        const wanted = (match >> 7) & 1;
        match <<= 1;
        const bit = coder.bit(base + ((1 + wanted) << 8) + symbol);
        symbol = (symbol << 1) | bit;
        if (bit !== wanted) break;
      }
    }
    while (symbol < 0x100) symbol = (symbol << 1) | coder.bit(base + symbol);
    bytes[at] = symbol;
    output.at = at + 1;
    state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
  };

  /** Moves the distance that is used again to the front; true when it is one byte only. */
  const repeated = (position: number): boolean => {
    if (coder.bit(LAYOUT.isRepG0 + state) === 0) return coder.bit(LAYOUT.isRep0Long + (state << 4) + position) === 0;
    let chosen = rep1;
    if (coder.bit(LAYOUT.isRepG1 + state) === 1) {
      chosen = rep2;
      if (coder.bit(LAYOUT.isRepG2 + state) === 1) {
        chosen = rep3;
        rep3 = rep2;
      }
      rep2 = rep1;
    }
    rep1 = rep0;
    rep0 = chosen;
    return false;
  };

  /** How many bytes to copy from `rep0` + 1 bytes back. */
  const match = (position: number): number => {
    if (coder.bit(LAYOUT.isRep + state) === 1) {
      if (repeated(position)) {
        state = state < 7 ? 9 : 11;
        return 1;
      }
      const more = length(REP_LENGTHS, position);
      state = state < 7 ? 8 : 11;
      return more + 2;
    }
    rep3 = rep2;
    rep2 = rep1;
    rep1 = rep0;
    const matched = length(LENGTHS, position);
    state = state < 7 ? 7 : 10;
    rep0 = distance(matched);
    return matched + 2;
  };

  return {
    reset(properties = given) {
      given = properties;
      probabilities = new Uint16Array(LITERALS + (0x300 << (given.lc + given.lp))).fill(1_024);
      state = rep0 = rep1 = rep2 = rep3 = 0;
    },
    decode(input, output, size) {
      coder = rangeDecoder(input, probabilities);
      const end = output.at + size;
      while (output.at < end) {
        const position = (output.at - output.dictionary) & ((1 << given.pb) - 1);
        if (coder.bit(LAYOUT.isMatch + (state << 4) + position) === 0) {
          literal(output);
          continue;
        }
        const count = match(position);
        const { bytes, at, dictionary } = output;
        if (rep0 >= at - dictionary || at + count > end) throw new Error("the LZMA data is damaged");
        // Byte by byte: what is copied may overlap what is written.
        for (let to = at; to < at + count; to += 1) bytes[to] = bytes[to - rep0 - 1] ?? 0;
        output.at = at + count;
      }
      if (coder.overrun()) throw new Error("the LZMA data is damaged");
    },
  };
}
