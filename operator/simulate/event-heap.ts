/** Something that happens at a time, ms. */
export interface Timed {
  readonly at: number;
}

/** What comes next, earliest first. A binary heap. */
export interface EventHeap<Event extends Timed> {
  push(event: Event): void;
  /** Takes the earliest one, if it is not later than this. */
  popUntil(time: number): Event | undefined;
  /** When the earliest one is; infinite without any. */
  next(): number;
}

export function createEventHeap<Event extends Timed>(): EventHeap<Event> {
  const heap: Event[] = [];
  const at = (index: number): number => heap[index]?.at ?? Number.POSITIVE_INFINITY;
  const swap = (one: number, other: number): void => {
    const [a, b] = [heap[one], heap[other]];
    if (a === undefined || b === undefined) return;
    heap[one] = b;
    heap[other] = a;
  };
  const sink = (index: number): void => {
    const child = at(2 * index + 1) <= at(2 * index + 2) ? 2 * index + 1 : 2 * index + 2;
    if (at(child) >= at(index)) return;
    swap(index, child);
    sink(child);
  };
  return {
    push(event) {
      heap.push(event);
      for (let index = heap.length - 1; index > 0; ) {
        const parent = (index - 1) >> 1;
        if (at(parent) <= at(index)) break;
        swap(index, parent);
        index = parent;
      }
    },
    popUntil(time) {
      if (at(0) > time) return undefined;
      swap(0, heap.length - 1);
      const first = heap.pop();
      sink(0);
      return first;
    },
    next: () => at(0),
  };
}
