import { randomUUID } from "node:crypto";
import type { ConfirmChannel } from "amqplib";

/** A generator of numbers in [0, 1) that gives the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const SHORTEST_MS = 50;
const LONGEST_MS = 20_000;
const TAIL = 0.9;

/** A heavy-tailed duration between 0.05 and 20 s (bounded Pareto, exponent 0.9): half take less than 0.11 s, one in 25 more than 1.7 s. */
function duration(random: () => number): number {
  const cut = (SHORTEST_MS / LONGEST_MS) ** TAIL;
  return Math.round(SHORTEST_MS * (1 - random() * (1 - cut)) ** (-1 / TAIL));
}

/** One wave of a queue: what to send at once, and when the next one comes. */
export interface Wave {
  readonly tasks: readonly number[];
  /** The next one comes when so few of them are left… */
  readonly left: number;
  /** …and after this pause, ms. */
  readonly pauseMs: number;
}

/** Large waves and small ones, some of which come while the pods of the one before are being drained: a pool that follows them swings. */
export function wave(random: () => number): Wave {
  const many = random() < 0.8 ? 16 + Math.floor(random() * 20) : 1 + Math.floor(random() * 4);
  return {
    tasks: Array.from({ length: many }, () => duration(random)),
    left: random() < 0.5 ? 0 : 1 + Math.floor(random() * 3),
    pauseMs: 3_000 + random() * 7_000,
  };
}

/** Sends tasks of the ledger's, as a Celery client would; resolves when the broker has them. */
export async function send(channel: ConfirmChannel, queue: string, tasks: readonly number[]): Promise<void> {
  for (const ms of tasks) {
    const id = randomUUID();
    const headers = { lang: "py", task: "ledger.sleep", id, root_id: id, parent_id: null, group: null, retries: 0 };
    const body = [[], { ms }, { callbacks: null, errbacks: null, chain: null, chord: null }];
    const options = { contentType: "application/json", contentEncoding: "utf-8", correlationId: id, persistent: true, headers };
    channel.sendToQueue(queue, Buffer.from(JSON.stringify(body)), options);
  }
  await channel.waitForConfirms();
}
