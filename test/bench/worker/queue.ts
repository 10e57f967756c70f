import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { connect } from "amqplib";
import { encodeTask } from "../../../worker/protocol/encode-task.ts";

/** The share of the messages after which the clock starts, and after which it stops: start-up, the compiler's included, and the last stragglers are left out. */
export const FROM = 0.5;
export const TO = 0.95;
const POLL_MS = 10;
/** A worker that takes nothing for so long is broken, ms. */
const STUCK_MS = 120_000;

/** Fills a queue with messages of one no-op task, as Celery writes them, persistent, each confirmed. `etaMs` delays them all. */
export async function fill(brokerUrl: string, queue: string, count: number, task: string, etaMs?: number): Promise<void> {
  const model = await connect(brokerUrl);
  const channel = await model.createConfirmChannel();
  for (let sent = 0; sent < count; sent += 1) {
    const eta = etaMs === undefined ? {} : { eta: Date.now() + etaMs };
    const { properties, body } = encodeTask({ id: randomUUID(), name: task, origin: "gen1@bench", ...eta });
    if (!channel.publish("", queue, body, properties)) await channel.waitForConfirms();
  }
  await channel.waitForConfirms();
  await model.close();
}

/** How many messages per second leave a queue of `count`, by its own ready count. Throws when nobody takes any. */
export async function drainRate(brokerUrl: string, queue: string, count: number): Promise<number> {
  const model = await connect(brokerUrl);
  const channel = await model.createChannel();
  const leftAt = async (share: number): Promise<{ left: number; at: number }> => {
    const until = performance.now() + STUCK_MS;
    for (;;) {
      const { messageCount: left } = await channel.checkQueue(queue);
      if (left <= count * (1 - share)) return { left, at: performance.now() };
      if (performance.now() > until) throw new Error(`${queue}: ${left} of ${count} messages are left after ${STUCK_MS} ms`);
      await delay(POLL_MS);
    }
  };
  const first = await leftAt(FROM);
  const last = await leftAt(TO);
  await model.close();
  return (first.left - last.left) / ((last.at - first.at) / 1_000);
}
