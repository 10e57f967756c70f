import type { Channel, ChannelModel } from "amqplib";
import type { ReadyCount } from "../ports.ts";

/** Channels that declare side by side: amqplib sends the next declare on a channel only when the last was answered. */
const LANES = 8;
const ANSWER_WITHIN_MS = 2_000;

interface Lane {
  channel: Channel | undefined;
}

export interface PassiveDeclares {
  /** Every queue's count, in any order. A refusal is an answer. Throws when the connection is lost or does not answer within 2 s. */
  count(queues: readonly string[]): Promise<ReadonlyMap<string, ReadyCount>>;
}

/**
 * Passive declares on a few channels of one connection. The broker answers 404 and 403 by closing the channel: the lane then opens another.
 * Never declares anything.
 * @param connection the live connection; asked for on each call, so that it may have been replaced meanwhile
 */
export function passiveDeclares(connection: () => Promise<ChannelModel>): PassiveDeclares {
  let lanes: readonly Lane[] = [];
  let of: ChannelModel | undefined;

  const lanesOf = (model: ChannelModel): readonly Lane[] => {
    if (of !== model) lanes = Array.from({ length: LANES }, () => ({ channel: undefined }));
    of = model;
    return lanes;
  };

  return {
    async count(queues) {
      const answers = new Map<string, ReadyCount>();
      if (queues.length === 0) return answers;
      const model = await connection();
      const left = queues.values();
      const work = async (lane: Lane): Promise<void> => {
        for (const queue of left) answers.set(queue, await countOne(model, lane, queue));
      };
      const used = lanesOf(model).slice(0, queues.length);
      await within(ANSWER_WITHIN_MS + queues.length, Promise.all(used.map(work)));
      return answers;
    },
  };
}

async function countOne(model: ChannelModel, lane: Lane, queue: string): Promise<ReadyCount> {
  const channel = (lane.channel ??= await openLane(model, lane));
  try {
    const { messageCount, consumerCount } = await channel.checkQueue(queue);
    return { ready: messageCount, consumers: consumerCount };
  } catch (error) {
    lane.channel = undefined;
    const code = replyCode(error);
    if (code === 404) return { missing: true };
    if (code === 403 || code === 405) return { refused: refusal(queue, code) };
    throw error;
  }
}

async function openLane(model: ChannelModel, lane: Lane): Promise<Channel> {
  const channel = await model.createChannel();
  // The error reaches the one who waits for the declare as well; without a listener it would end the process.
  channel.on("error", () => undefined);
  channel.on("close", () => {
    if (lane.channel === channel) lane.channel = undefined;
  });
  return channel;
}

const refusal = (queue: string, code: number): string =>
  code === 403
    ? `the broker's user may not look at it; give it read permission on ${queue}`
    : "it is exclusive to another connection, so its length cannot be read";

const replyCode = (error: unknown): number | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "number" ? error.code : undefined;

/** Rejects when it takes longer. The work itself goes on and ends with its connection. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`the broker did not answer a passive declare within ${ms} ms`)), ms);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
