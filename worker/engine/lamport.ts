/** The logical clock that remote control and events share. Source: kombu/clocks.py. */
export interface Lamport {
  readonly value: number;
  forward(): number;
  /** Moves beyond another node's clock. */
  adjust(other: number): void;
}

export function newLamport(): Lamport {
  let value = 0;
  return {
    get value() {
      return value;
    },
    forward: () => (value += 1),
    adjust(other) {
      value = Math.max(value, other) + 1;
    },
  };
}
