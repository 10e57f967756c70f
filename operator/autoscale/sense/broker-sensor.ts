import type { BrokerEndpoint, QueueTotals, ReadyCount, RemoteControlPort, SensePort } from "../../adapters/ports.ts";
import { errorFields } from "../../runtime/log.ts";
import { type CeleryEventsPort, type HeardBeat, hearBeat } from "./celery-beats.ts";
import { type Pace, paced } from "./pace.ts";
import { type Reading, TOTALS_STALE_MS } from "./reading.ts";

/** One broker's sensors and remote control, over one connection. Disposing of it closes the connection. */
export interface BrokerLink extends AsyncDisposable {
  readonly sense: SensePort;
  readonly control: RemoteControlPort;
  /** absent: workers that are not ours must be asked what they do. */
  readonly celery?: CeleryEventsPort;
}

/** How often the broker is asked for what only the management API knows: two requests, however many queues. */
const TOTALS_EVERY_MS = 2_000;
/** Unacked by peer is asked for only while something is being drained that says nothing of itself. */
const PEERS_EVERY_MS = 5_000;
/** A queue that does not exist costs a channel each time that it is looked for, and a line in the broker's log. */
const MISSING_EVERY_MS = 1_000;
/** A Celery worker that was not heard for so long is gone, ms. */
const FORGET_BEAT_MS = 60_000;
/** Most queues of one look that are not known to exist: more take turns. */
const MISSING_AT_ONCE = 20;

/** The readings of one broker. Every call ends when its answer is there or has failed; none throws: a failure is in `failures`. */
export interface BrokerSensor extends AsyncDisposable {
  readonly endpoint: BrokerEndpoint;
  readonly control: RemoteControlPort;
  /** Looks at these queues now; those known to be missing are looked for once a second. */
  look(queues: readonly string[], now: () => number): Promise<void>;
  /** Totals and alarms, when it is time. */
  lookSlowly(now: () => number): Promise<void>;
  lookAtPeers(now: () => number): Promise<void>;
  live(queue: string): Reading<ReadyCount> | undefined;
  totals(queue: string): Reading<QueueTotals> | undefined;
  /** Every queue of the vhost, as of the last totals that leave none out; the same list while they are the same. */
  names(): Reading<readonly string[]> | undefined;
  unackedOf(address: string): Reading<number> | undefined;
  /** Those that were seen not long ago. Where they cannot be seen there are none: an alarm only ever holds, and must not hold for ever. */
  alarms(now: number): readonly string[];
  /** What does not work now, in words. */
  readonly failures: readonly string[];
  /** What Python Celery workers said last, by node; listens from the first call on. */
  celeryBeats(now: () => number): ReadonlyMap<string, HeardBeat>;
}

export function createBrokerSensor(endpoint: BrokerEndpoint, link: BrokerLink): BrokerSensor {
  const live = new Map<string, Reading<ReadyCount>>();
  const failures = new Map<"live" | "totals", string>();
  let totals: Reading<ReadonlyMap<string, QueueTotals>> | undefined;
  let peers: Reading<ReadonlyMap<string, number>> | undefined;
  let names: Reading<readonly string[]> | undefined;
  const beats = new Map<string, HeardBeat>();
  let alarms: Reading<readonly string[]> | undefined;

  const trying = async (what: "live" | "totals", work: () => Promise<void>): Promise<void> => {
    try {
      await work();
      failures.delete(what);
    } catch (error) {
      const words = what === "live" ? "the broker cannot be read" : "the broker's management API cannot be read";
      failures.set(what, `${words}: ${errorFields(error).error}`);
    }
  };
  const lookForAlarms = async (now: () => number): Promise<void> => {
    try {
      const asked = now();
      alarms = { value: await link.sense.alarms(), at: asked };
    } catch {
      // Only a user with the tag monitoring may know; that the management API is gone is said with the totals.
    }
  };
  const dueOf = (queues: readonly string[], now: number): readonly string[] => {
    const there: string[] = [];
    const doubtful: (readonly [queue: string, at: number])[] = [];
    for (const queue of queues) {
      const last = live.get(queue);
      const listed = totals?.value.has(queue) === true && totals.at > (last?.at ?? Number.NEGATIVE_INFINITY);
      if (listed || (last !== undefined && "ready" in last.value)) there.push(queue);
      else if (last === undefined || now - last.at >= MISSING_EVERY_MS) doubtful.push([queue, last?.at ?? Number.NEGATIVE_INFINITY]);
    }
    const longestAgo = doubtful.length > MISSING_AT_ONCE ? doubtful.toSorted(([, one], [, other]) => one - other) : doubtful;
    return [...there, ...longestAgo.slice(0, MISSING_AT_ONCE).map(([queue]) => queue)];
  };
  const slow: Pace = paced(TOTALS_EVERY_MS);
  const byPeer: Pace = paced(PEERS_EVERY_MS);

  return {
    endpoint,
    control: link.control,
    look: (queues, now) =>
      trying("live", async () => {
        const due = dueOf(queues, now());
        const asked = now();
        // The time of asking: an answer is never younger than that.
        for (const [queue, value] of await link.sense.readyCounts(due)) live.set(queue, { value, at: asked });
      }),
    lookSlowly: (now) =>
      slow(now, () =>
        Promise.all([
          trying("totals", async () => {
            const asked = now();
            const { queues, names: all } = await link.sense.totals();
            totals = { value: queues, at: asked };
            if (all !== undefined) names = { value: same(names?.value, all), at: asked };
          }),
          lookForAlarms(now),
        ]).then(() => undefined),
      ),
    lookAtPeers: (now) =>
      byPeer(now, () =>
        trying("totals", async () => {
          const asked = now();
          peers = { value: await link.sense.unackedByPeer(), at: asked };
        }),
      ),
    live: (queue) => live.get(queue),
    totals(queue) {
      const value = totals?.value.get(queue);
      return value === undefined || totals === undefined ? undefined : { value, at: totals.at };
    },
    names: () => names,
    unackedOf(address) {
      // An address that the broker does not name is not idle: it may be behind another one.
      const value = peers?.value.get(address);
      return value === undefined || peers === undefined ? undefined : { value, at: peers.at };
    },
    alarms: (now) => (alarms === undefined || now - alarms.at > TOTALS_STALE_MS ? [] : alarms.value),
    get failures() {
      return [...failures.values()];
    },
    celeryBeats(now) {
      link.celery?.listen((beat) => beats.set(beat.node, hearBeat(beats.get(beat.node), beat, now())));
      for (const [node, { at }] of beats) if (now() - at > FORGET_BEAT_MS) beats.delete(node);
      return beats;
    },
    [Symbol.asyncDispose]: () => link[Symbol.asyncDispose](),
  };
}

/** Whoever worked with the old list need not begin anew. */
const same = (before: readonly string[] | undefined, now: readonly string[]): readonly string[] =>
  before?.length === now.length && before.every((name, index) => name === now[index]) ? before : now;
