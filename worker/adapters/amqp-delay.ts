import type { Channel } from "amqplib";
import type { Publication } from "../ports.ts";
import type { Publisher } from "./amqp-publisher.ts";

/**
 * The waiting room in the broker: a ladder of queues whose messages live 2^level ticks and then fall one step.
 * A header per level says whether the message waits there (1) or falls through (0), so any delay is the sum of a few
 * waits, and exchange and routing key stay the message's own. Unlike Celery's ladder (kombu/transport/native_delayed_delivery.py,
 * whose bits sit in the routing key) it serves every exchange type and needs no binding on the user's queues.
 *
 *     longshore.delay.L (headers) --1--> queue longshore.delay.L --TTL--> longshore.delay.L-1 … longshore.delay.0 --TTL--> longshore.delayed
 *                                 --0--> longshore.delay.L-1                                   --0--> longshore.delayed
 *     longshore.delayed (headers) --ls-to = exchange--> that exchange;   --ls-to = ""--> queue with TTL 0 --> the default exchange
 */
const TICK_MS = 50;
const MAX_LEVEL = 36;
const EXIT = "longshore.delayed";
const TO_QUEUE = "longshore.delayed.to-queue";
const rung = (level: number): string => `longshore.delay.${level}`;

/** Header names must not begin with `x-`: headers exchanges do not match on those. */
const bit = (level: number): string => `ls-wait-${level}`;
const DESTINATION = "ls-to";
const isOurs = (header: string): boolean => header === DESTINATION || header.startsWith("ls-wait-");

/** RabbitMQ drops a message that died twice in one queue, so what an earlier wait left must go (celery#10111). */
const isDeath = (header: string): boolean => /^x-(death|first-death-|last-death-)/.test(header);

const quorumStep = (next: string, ttl: number): Record<string, unknown> => ({
  "x-queue-type": "quorum",
  "x-message-ttl": ttl,
  "x-dead-letter-exchange": next,
  "x-dead-letter-strategy": "at-least-once",
  "x-overflow": "reject-publish",
});

async function declareExit(channel: Channel): Promise<void> {
  await channel.assertExchange(EXIT, "headers", { durable: true });
  await channel.assertQueue(TO_QUEUE, { durable: true, arguments: quorumStep("", 0) });
  await channel.bindQueue(TO_QUEUE, EXIT, "", { "x-match": "all", [DESTINATION]: "" });
}

async function declareRung(channel: Channel, level: number): Promise<void> {
  const next = level === 0 ? EXIT : rung(level - 1);
  await channel.assertExchange(rung(level), "headers", { durable: true });
  await channel.assertQueue(rung(level), { durable: true, arguments: quorumStep(next, TICK_MS * 2 ** level) });
  await channel.bindQueue(rung(level), rung(level), "", { "x-match": "all", [bit(level)]: 1 });
  await channel.bindExchange(next, rung(level), "", { "x-match": "all", [bit(level)]: 0 });
}

/** The message as the ladder takes it, and the rung where it enters. Never early; late by at most one tick and the hops. */
export function enterLadder(message: Publication, delayMs: number): { level: number; entry: Publication } {
  const ticks = Math.max(1, Math.ceil(delayMs / TICK_MS));
  const level = Math.min(MAX_LEVEL, Math.floor(Math.log2(ticks)));
  const bits = Array.from({ length: level + 1 }, (_, at): [string, number] => [bit(at), Math.floor(ticks / 2 ** at) % 2]);
  const kept = Object.entries(message.properties.headers).filter(([name]) => !isOurs(name) && !isDeath(name));
  // A message's own expiry would end its wait early and is dropped by dead-lettering; the task's `expires` header stays.
  const { expiration: _dropped, ...properties } = message.properties;
  const headers = { ...Object.fromEntries(kept), ...Object.fromEntries(bits), [DESTINATION]: message.exchange };
  return { level, entry: { ...message, exchange: rung(level), properties: { ...properties, headers }, mandatory: true } };
}

/** Publishes into the ladder; declares on first use only the rungs that are needed. */
export function delayLadder(publisher: Publisher): (message: Publication, delayMs: number) => Promise<void> {
  let built = -1;
  const exits = new Set<string>([""]);
  let building: Promise<void> = Promise.resolve();

  const build = async (level: number, exchange: string): Promise<void> => {
    if (level > built) {
      await publisher.declare(async (channel) => {
        if (built === -1) await declareExit(channel);
        for (let next = built + 1; next <= level; next += 1) await declareRung(channel, next);
      });
      built = level;
    }
    if (exits.has(exchange)) return;
    await publisher.declare(async (channel) => {
      await channel.bindExchange(exchange, EXIT, "", { "x-match": "all", [DESTINATION]: exchange });
    });
    exits.add(exchange);
  };

  return async (message, delayMs) => {
    const { level, entry } = enterLadder(message, delayMs);
    if (level > built || !exits.has(message.exchange)) {
      const turn = building.then(() => build(level, message.exchange));
      // The next builder tries again by itself; this caller gets the error.
      building = turn.catch(() => {});
      await turn;
    }
    await publisher.publish(entry);
  };
}
