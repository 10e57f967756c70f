import { BrokerError, type BrokerPort, type Clock, type Consumer, type Delivery } from "../ports.ts";
import { giverOf, planShares } from "./shares.ts";

export interface Intake extends AsyncDisposable {
  /** Starts to consume; resolves when the broker confirmed. A queue that is missing is asked for again until it is there. */
  add(queue: string): Promise<void>;
  /** Stops; resolves when the broker confirmed. Stays stopped through reconnects, until `add`. */
  cancel(queue: string): Promise<void>;
  /** Stops all of them. */
  cancelAll(): Promise<void>;
  /** Asks for as many messages as there are slots now. */
  resize(): Promise<void>;
  /** Queues with a live consumer. */
  readonly consuming: readonly string[];
  /** Queues that this worker means to consume, live or not yet. */
  readonly wanted: readonly string[];
}

export interface IntakeDeps {
  readonly broker: BrokerPort;
  readonly clock: Clock;
  readonly slots: () => number;
  readonly onDelivery: (delivery: Delivery) => void;
  /** Told after each change of `consuming`, and why a queue cannot be consumed yet, once per reason. */
  readonly onChange: () => void;
  readonly onTrouble: (queue: string, error: BrokerError) => void;
}

const RETRY_MS = 1_000;

interface Part {
  readonly size: number;
  readonly consumer: Consumer;
}

/** One queue: its own consumer, and those of the chunks that it has at the moment. */
class Line {
  readonly queue: string;
  cancelled = false;
  base: Part | undefined;
  readonly extra: Part[] = [];
  /** Consumers that are being opened. */
  readonly opening = new Set<Promise<unknown>>();
  held = 0;
  constructor(queue: string) {
    this.queue = queue;
  }
  get chunks(): number {
    return this.extra.length;
  }
  get capacity(): number {
    return this.extra.reduce((sum, { size }) => sum + size, this.base?.size ?? 0);
  }
}

/**
 * The queues that a worker consumes. All together hold little more than there are slots (`planShares`), so that no message waits in
 * this process while another worker is idle; what one queue does not use moves to one that could use more, as messages arrive.
 */
export function openIntake(deps: IntakeDeps): Intake {
  const lines = new Map<string, Line>();
  let homeless: number[] = [];
  let shared = 0;
  let turn: Promise<void> = Promise.resolve();
  let moving = false;
  /** Queues that use all that they may, and have said so since they were last looked at. */
  const hungry = new Set<Line>();

  const heldNow = (): number => [...lines.values()].reduce((sum, { held }) => sum + held, 0);

  const open = async (line: Line, size: number, keep: (part: Part) => void): Promise<boolean> => {
    const consumer = await deps.broker.consume(line.queue, size, (delivery) => {
      line.held += 1;
      const done = (settle: () => boolean): boolean => {
        line.held -= 1;
        return settle();
      };
      deps.onDelivery({ ...delivery, ack: () => done(() => delivery.ack()), reject: (requeue) => done(() => delivery.reject(requeue)) });
      if ((lines.size > 1 || homeless.length > 0) && isHungry(line)) feed(line);
    });
    if (line.cancelled) await consumer.cancel();
    else keep({ size, consumer });
    return !line.cancelled;
  };

  /** One more consumer of a queue, to be kept; false when the queue was cancelled meanwhile, and then nothing of it is left. */
  const consume = async (line: Line, size: number, keep: (part: Part) => void): Promise<boolean> => {
    const opening = open(line, size, keep);
    line.opening.add(opening);
    try {
      return await opening;
    } finally {
      line.opening.delete(opening);
    }
  };

  /** One change of consumers at a time. */
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const next = turn.then(work);
    // Whoever asked gets the error; the next change starts afresh.
    turn = next.catch(() => {});
    return next;
  };

  const give = async (line: Line, size: number): Promise<void> => {
    try {
      if (!(await consume(line, size, (part) => line.extra.push(part)))) homeless.push(size);
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      homeless.push(size);
    }
  };

  const isHungry = (line: Line): boolean => !line.cancelled && line.held >= line.capacity && heldNow() < deps.slots();

  const feedOne = async (line: Line): Promise<void> => {
    const size = homeless.pop();
    if (size !== undefined) return await give(line, size);
    const part = giverOf(line, lines.values())?.extra.pop();
    if (part === undefined) return;
    await part.consumer.cancel();
    await give(line, part.size);
    // What the new chunk brought may have come before the chunk was counted: nothing else would ask again.
    if (isHungry(line)) hungry.add(line);
  };

  /** A queue uses all that it may, and slots are free: it gets a chunk that another does not use. */
  const feed = (line: Line): void => {
    hungry.add(line);
    if (moving) return;
    moving = true;
    void inTurn(async () => {
      try {
        for (const next of hungry) {
          hungry.delete(next);
          if (isHungry(next)) await feedOne(next);
        }
      } finally {
        moving = false;
      }
    });
  };

  /** Base and chunks as the number of queues and slots wants them. */
  const share = async (): Promise<void> => {
    const live = [...lines.values()].filter(({ base }) => base !== undefined);
    const { base, chunks } = planShares(lines.size, deps.slots());
    for (const line of live) {
      if (line.base?.size === base || line.cancelled) continue;
      const before = line.base;
      try {
        if (await consume(line, base, (part) => (line.base = part))) await before?.consumer.cancel();
      } catch (error) {
        // The one that it had comes back by itself.
        if (!(error instanceof BrokerError)) throw error;
      }
    }
    const total = chunks.reduce((sum, size) => sum + size, 0);
    if (total === shared) return;
    shared = total;
    for (const line of live) for (const part of line.extra.splice(0)) await part.consumer.cancel();
    homeless = [...chunks];
    for (const line of live) {
      const size = homeless.shift();
      if (size !== undefined && !line.cancelled) await give(line, size);
    }
  };

  const keepAsking = async (line: Line): Promise<void> => {
    let told = "";
    while (!line.cancelled) {
      try {
        const { base } = planShares(lines.size, deps.slots());
        if (!(await consume(line, base, (part) => (line.base = part)))) return;
        deps.onChange();
        return await inTurn(share);
      } catch (error) {
        if (!(error instanceof BrokerError)) throw error;
        if (error.message !== told) deps.onTrouble(line.queue, error);
        told = error.message;
        await new Promise<void>((resolve) => void deps.clock.setTimeout(resolve, RETRY_MS));
      }
    }
  };

  const cancel = async (queue: string): Promise<void> => {
    const line = lines.get(queue);
    if (line === undefined) return;
    line.cancelled = true;
    lines.delete(queue);
    // A consumer that is being opened could still be given a message: it ends itself, and only then nothing comes any more.
    await Promise.allSettled(line.opening);
    const extra = line.extra.splice(0);
    const parts = line.base === undefined ? extra : [line.base, ...extra];
    await Promise.all(parts.map(({ consumer }) => consumer.cancel()));
    homeless.push(...extra.map(({ size }) => size));
    deps.onChange();
  };

  const intake: Intake = {
    get consuming() {
      return deps.broker.connected ? [...lines.values()].filter(({ base }) => base !== undefined).map(({ queue }) => queue) : [];
    },
    get wanted() {
      return [...lines.keys()];
    },
    async add(queue) {
      if (lines.has(queue)) return;
      const line = new Line(queue);
      lines.set(queue, line);
      // So that queues that are added together are counted together.
      await Promise.resolve();
      await keepAsking(line);
    },
    cancel,
    async cancelAll() {
      await Promise.all([...lines.keys()].map(cancel));
    },
    resize: () => inTurn(share),
    [Symbol.asyncDispose]: () => intake.cancelAll(),
  };
  return intake;
}
