import { BrokerError, type QueueFigures } from "../adapters/ports.ts";
import type { Clock } from "../runtime/clock.ts";
import { inParallel } from "../runtime/in-parallel.ts";
import { errorFields, type Log } from "../runtime/log.ts";
import { unlessAborted } from "../runtime/unless-aborted.ts";
import type { Session } from "./link.ts";
import type { Member } from "./members.ts";
import type { Reporter } from "./reporter.ts";

/** What is there first comes first: counts begin so long after the start, ms. */
const FIRST_MS = 5_000;
/** All queues of a vhost are counted with one request this often, ms; where there are thousands, so much later for each of them. */
const EVERY_MS = 30_000;
const PER_QUEUE_MS = 15;
/** With more queues the broker is not asked for consumers, which would be the most expensive part of its answer. */
const WITH_CONSUMERS_UP_TO = 1_000;
/** Statuses that change by one count, at most: the rest comes with the next ones. */
const WRITES = 200;
const PARALLEL = 8;
/** Where there are more queues, one that never held anything is not written about: after a cold start thousands would be, for nothing. */
const ALL_UP_TO = 100;

/** Counts the queues that have objects, when it is time. What could not be counted stays as it was. Resolves with after how many ms it is due again; rejects with the signal's reason. */
export type Figures = (session: Session, members: readonly Member[]) => Promise<readonly number[]>;

export function createFigures(reporter: Reporter, clock: Clock, log: Log, signal: AbortSignal): Figures {
  let dueAt = clock.elapsed() + FIRST_MS;
  /** Where the last count ended, so that each has its turn. */
  let turn = 0;

  const write = async (queues: readonly Member[], found: ReadonlyMap<string, QueueFigures>): Promise<void> => {
    let writes = 0;
    const inTurn = [...queues.slice(turn), ...queues.slice(0, turn)];
    const writeOne = async ({ resource, object, claim }: Member): Promise<void> => {
      const [queue] = claim.wanted.values();
      const figures = queue?.type === "queue" ? found.get(queue.name) : undefined;
      if (figures === undefined || writes >= WRITES) return;
      if (queues.length > ALL_UP_TO && isIdle(figures) && !("messages" in (object.status ?? {}))) return;
      if (await reporter.count(resource, object, fieldsOf(figures))) writes++;
      turn = (turn + 1) % Math.max(1, queues.length);
    };
    await inParallel(inTurn, PARALLEL, writeOne, signal);
  };

  return async ({ port }, members) => {
    const queues = members.filter(({ resource }) => resource.kind === "Queue");
    if (queues.length === 0) return [];
    if (clock.elapsed() < dueAt) return [dueAt - clock.elapsed()];
    const every = Math.max(EVERY_MS, queues.length * PER_QUEUE_MS);
    dueAt = clock.elapsed() + every;
    try {
      await write(queues, await unlessAborted(signal, port.figures({ consumers: queues.length <= WITH_CONSUMERS_UP_TO })));
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      // The pass notices by itself that the broker is away; counts alone are no reason to say so.
      log.debug(errorFields(error), "cannot count the messages of queues");
    }
    return [every];
  };
}

const isIdle = ({ ready = 0, unacked = 0, consumers = 0, state = "running", policy, operatorPolicy }: QueueFigures): boolean =>
  ready + unacked + consumers === 0 && state === "running" && policy === undefined && operatorPolicy === undefined;

/** As the status has them, in the order in which the API server gives them back. All of them are named, so that one that is gone is taken away. */
const fieldsOf = ({ ready, unacked, consumers, state, policy, operatorPolicy, definition }: QueueFigures) => ({
  messages: ready === undefined && unacked === undefined ? undefined : (ready ?? 0) + (unacked ?? 0),
  messagesReady: ready,
  messagesUnacked: unacked,
  consumers,
  state,
  effectivePolicy: policy === undefined && operatorPolicy === undefined ? undefined : { definition, operatorPolicy, policy },
});
