/** A queue by time, smallest first: a binary heap, so that ten thousand entries cost no timer each. */
export interface Heap<T> {
  push(at: number, value: T): void;
  /** The earliest, when it is at or before `now`. */
  take(now: number): T | undefined;
  /** When the earliest is. */
  readonly nextAt: number | undefined;
}

interface Node<T> {
  readonly at: number;
  readonly value: T;
}

export function createHeap<T>(): Heap<T> {
  const nodes: Node<T>[] = [];
  const before = (one: number, other: number) => (nodes[one]?.at ?? Infinity) < (nodes[other]?.at ?? Infinity);
  const swap = (one: number, other: number) => {
    const [a, b] = [nodes[one], nodes[other]];
    if (a === undefined || b === undefined) return;
    nodes[one] = b;
    nodes[other] = a;
  };
  const up = (from: number) => {
    for (let at = from, parent = (at - 1) >> 1; at > 0 && before(at, parent); at = parent, parent = (at - 1) >> 1) swap(at, parent);
  };
  const down = () => {
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      const least = before(right, left) ? right : left;
      if (!before(least, at)) return;
      swap(at, least);
      at = least;
    }
  };
  return {
    push(at, value) {
      nodes.push({ at, value });
      up(nodes.length - 1);
    },
    take(now) {
      const [first] = nodes;
      if (first === undefined || first.at > now) return undefined;
      const last = nodes.pop();
      if (nodes.length > 0 && last !== undefined) {
        nodes[0] = last;
        down();
      }
      return first.value;
    },
    get nextAt() {
      return nodes[0]?.at;
    },
  };
}
