/** How many messages a worker asks for, per queue and in total. */
export interface Shares {
  /** Every queue's own. */
  readonly base: number;
  /** What goes to whichever queue can use it. */
  readonly chunks: readonly number[];
}

/**
 * Shares a worker's slots out over its queues, because RabbitMQ counts prefetch per consumer and 4.3 refuses to count it together. One
 * message per queue, so that none is forgotten, and the rest in chunks that follow the load: any queue alone can fill all slots, and
 * never more than `slots + queues - 1` messages are asked for.
 */
export function planShares(queues: number, slots: number): Shares {
  if (queues <= 1) return { base: slots, chunks: [] };
  const size = Math.max(1, Math.ceil((slots - 1) / queues));
  const count = Math.ceil((slots - 1) / size);
  return { base: 1, chunks: Array.from({ length: count }, (_, at) => Math.min(size, slots - 1 - at * size)) };
}

/** What is known of one queue. */
export interface Load {
  readonly held: number;
  readonly capacity: number;
  readonly chunks: number;
}

/** Which queue gives a chunk to one that has used up its own: the one with the most to spare. Undefined when nobody has any. */
export function giverOf<T extends Load>(taker: T, all: Iterable<T>): T | undefined {
  let best: T | undefined;
  for (const line of all) {
    if (line === taker || line.chunks === 0 || line.held >= line.capacity) continue;
    if (best === undefined || line.capacity - line.held > best.capacity - best.held) best = line;
  }
  return best;
}
