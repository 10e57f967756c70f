import { setTimeout as delay } from "node:timers/promises";
import type { ChannelModel } from "amqplib";
import type { Series } from "./series.ts";
import type { ScaleWatch } from "./watch-scales.ts";

/** The next burst comes so long after the pool is back at its first size, ms, and up to twice as long: its phase against the operator's clock is random. */
const PAUSE_MS = 1_500;

export interface Trial {
  /** From the broker's confirm of the last message to the final size, ms; 0 where the size came first. */
  readonly ms: number;
  /** From the first message sent to the final size, ms. */
  readonly fromFirstMs: number;
  /** Changes of the size on the way. */
  readonly patches: number;
}

/** One pool's trials, one after another, while there are any left. A size that does not come within 30 s ends the bench. */
export async function runTrials(
  connection: ChannelModel,
  queue: string,
  { from, to, messages }: Series,
  scale: ScaleWatch,
  takeOne: () => boolean,
): Promise<readonly Trial[]> {
  const channel = await connection.createConfirmChannel();
  const trials: Trial[] = [];
  while (takeOne()) {
    await scale.until(from, 120_000);
    await delay(PAUSE_MS * (1 + Math.random()));
    const before = scale.changes().length;
    const began = performance.now();
    for (let at = 0; at < messages; at += 1) channel.sendToQueue(queue, Buffer.from("{}"), { persistent: true });
    await channel.waitForConfirms();
    const confirmed = performance.now();
    await scale.until(to, 30_000);
    const changes = scale.changes().slice(before);
    const seen = changes.at(-1)?.at ?? Number.NaN;
    trials.push({ ms: Math.max(0, seen - confirmed), fromFirstMs: seen - began, patches: changes.length });
    await channel.purgeQueue(queue);
  }
  await channel.close();
  return trials;
}
