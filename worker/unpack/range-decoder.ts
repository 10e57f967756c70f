/** LZMA's arithmetic decoder over one chunk of input. */
export interface RangeDecoder {
  /** One bit by the probability at that index, which learns from it. */
  bit(index: number): number;
  /** `count` bits, the highest first, each by the probabilities that those before it choose. */
  tree(base: number, count: number): number;
  /** The same, the lowest first. */
  reverse(base: number, count: number): number;
  /** `count` bits that are all alike probable. */
  direct(count: number): number;
  /** Whether more was read than there is. */
  overrun(): boolean;
}

const TOP = 2 ** 24;
const ADAPT = 5;

/** Starts at the beginning of a chunk; its first five bytes are the decoder's state. Throws an Error when they cannot be. */
export function rangeDecoder(input: Uint8Array, probabilities: Uint16Array): RangeDecoder {
  if (input.length < 5 || input[0] !== 0) throw new Error("the LZMA data is damaged");
  let range = 0xffff_ffff;
  let code = new DataView(input.buffer, input.byteOffset).getUint32(1);
  let at = 5;

  const fill = (): void => {
    if (range >= TOP) return;
    range = (range << 8) >>> 0;
    code = ((code << 8) | (input[at] ?? 0)) >>> 0;
    at += 1;
  };

  const bit = (index: number): number => {
    const probability = probabilities[index] ?? 0;
    const bound = (range >>> 11) * probability;
    const one = code >= bound;
    if (one) {
      range -= bound;
      code -= bound;
      probabilities[index] = probability - (probability >> ADAPT);
    } else {
      range = bound;
      probabilities[index] = probability + ((2_048 - probability) >> ADAPT);
    }
    fill();
    return one ? 1 : 0;
  };

  return {
    bit,
    tree(base, count) {
      let found = 1;
      for (let left = count; left > 0; left -= 1) found = (found << 1) | bit(base + found);
      return found - (1 << count);
    },
    reverse(base, count) {
      let node = 1;
      let found = 0;
      for (let place = 0; place < count; place += 1) {
        const one = bit(base + node);
        node = (node << 1) | one;
        found |= one << place;
      }
      return found;
    },
    direct(count) {
      let found = 0;
      for (let left = count; left > 0; left -= 1) {
        range >>>= 1;
        const one = code >= range;
        if (one) code -= range;
        found = found * 2 + (one ? 1 : 0);
        fill();
      }
      return found;
    },
    overrun: () => at > input.length,
  };
}
