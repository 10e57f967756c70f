import { BrokerError, type BrokerPort, type Clock, type Consumer, type Delivery } from "../ports.ts";

export interface Intake extends AsyncDisposable {
  /** Starts to consume; resolves when the broker confirmed. A queue that is missing is asked for again until it is there. */
  add(queue: string): Promise<void>;
  /** Stops; resolves when the broker confirmed. Stays stopped through reconnects, until `add`. */
  cancel(queue: string): Promise<void>;
  /** Stops all of them. */
  cancelAll(): Promise<void>;
  /** Queues with a live consumer. */
  readonly consuming: readonly string[];
  /** Queues that this worker means to consume, live or not yet. */
  readonly wanted: readonly string[];
}

export interface IntakeDeps {
  readonly broker: BrokerPort;
  readonly clock: Clock;
  readonly prefetch: () => number;
  readonly onDelivery: (delivery: Delivery) => void;
  /** Told after each change of `consuming`, and why a queue cannot be consumed yet, once per reason. */
  readonly onChange: () => void;
  readonly onTrouble: (queue: string, error: BrokerError) => void;
}

const RETRY_MS = 1_000;

/**
 * The queues that a worker consumes. At most `prefetch` messages per queue are unacked here, so that none waits in this process
 * while another worker is idle.
 */
export function openIntake(deps: IntakeDeps): Intake {
  const wanted = new Map<string, { cancelled: boolean }>();
  const live = new Map<string, Consumer>();

  const keepAsking = async (queue: string, wish: { cancelled: boolean }): Promise<void> => {
    let told = "";
    while (!wish.cancelled) {
      try {
        const consumer = await deps.broker.consume(queue, deps.prefetch(), deps.onDelivery);
        if (wish.cancelled) return await consumer.cancel();
        live.set(queue, consumer);
        return deps.onChange();
      } catch (error) {
        if (!(error instanceof BrokerError)) throw error;
        if (error.message !== told) deps.onTrouble(queue, error);
        told = error.message;
        await new Promise<void>((resolve) => void deps.clock.setTimeout(resolve, RETRY_MS));
      }
    }
  };

  const cancel = async (queue: string): Promise<void> => {
    const wish = wanted.get(queue);
    if (wish === undefined) return;
    wish.cancelled = true;
    wanted.delete(queue);
    await live.get(queue)?.cancel();
    live.delete(queue);
    deps.onChange();
  };

  const intake: Intake = {
    get consuming() {
      return deps.broker.connected ? [...live.keys()] : [];
    },
    get wanted() {
      return [...wanted.keys()];
    },
    async add(queue) {
      if (wanted.has(queue)) return;
      const wish = { cancelled: false };
      wanted.set(queue, wish);
      await keepAsking(queue, wish);
    },
    cancel,
    async cancelAll() {
      await Promise.all([...wanted.keys()].map(cancel));
    },
    [Symbol.asyncDispose]: () => intake.cancelAll(),
  };
  return intake;
}
