/** After a settle, the next delivery of a full queue is here within this time, ms. */
const QUIET_MS = 50;
/** No moment comes for longer than this: then any is as good, ms. */
const PATIENCE_MS = 500;

/** Says when no delivery is on its way to a consumer. */
export interface Lull {
  /** A message came. */
  taken(): void;
  /** A message was settled. */
  settled(): void;
  /** Calls back once, at once if no delivery can be on its way: from within `taken` when that made the consumer full. 500 ms at the latest. */
  await(back: () => void): void;
}

/**
 * A quorum queue takes a delivery back that crosses with the cancel of its consumer, and marks it as redelivered for nothing
 * (`rabbit_fifo_client:handle_delivery` for a consumer that it does not know any more). So a consumer is best cancelled while it holds all that
 * it may, or when it has settled nothing for 50 ms: only a message that is published at that very moment can cross then.
 * @param prefetch of the consumer; 0: as many as there are
 */
export function createLull(prefetch: number, now: () => number = () => performance.now()): Lull {
  let open = 0;
  let settledAt = Number.NEGATIVE_INFINITY;
  let waiting: { readonly back: () => void; readonly end: NodeJS.Timeout } | undefined;
  let quiet: NodeJS.Timeout | undefined;

  const isFull = (): boolean => prefetch > 0 && open >= prefetch;
  const call = (): void => {
    clearTimeout(quiet);
    clearTimeout(waiting?.end);
    const back = waiting?.back;
    waiting = undefined;
    back?.();
  };
  const listen = (ms: number): void => {
    clearTimeout(quiet);
    quiet = setTimeout(call, ms);
  };

  return {
    taken() {
      open += 1;
      if (waiting !== undefined && isFull()) call();
    },
    settled() {
      open -= 1;
      settledAt = now();
      if (waiting !== undefined) listen(QUIET_MS);
    },
    await(back) {
      const quietFor = now() - settledAt;
      if (isFull() || quietFor >= QUIET_MS) return back();
      waiting = { back, end: setTimeout(call, PATIENCE_MS) };
      listen(QUIET_MS - quietFor);
    },
  };
}
