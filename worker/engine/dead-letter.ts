import { BrokerError, type BrokerPort, type Clock, type Delivery, type Publication } from "../ports.ts";
import type { TaskLog } from "../tasks/define-task.ts";

/** Why a message goes to the dead letters, in one word. */
export type DeathReason = "rejected" | "failed" | "not-registered" | "malformed" | "delivery-limit";

export interface Death {
  readonly reason: DeathReason;
  /** In words, for people. */
  readonly error: string;
}

/** Where a pool keeps its dead letters. */
export interface Cemetery {
  readonly exchange: string;
  /** The queue's name unless set. */
  readonly routingKey?: string;
}

/** Left on, RabbitMQ takes the message for one that runs in a circle. */
const BROKER_HEADERS = /^x-(death|first-death-|last-death-|delivery-count|acquired-count|opt-)/;
const MAX_ERROR = 2_000;

/** A delivery as a dead letter: body and properties as they came, and beside its headers why, when, where from and by whom. Pure. */
export function deadLetter(
  { queue, exchange, routingKey, properties, body }: Delivery,
  death: Death,
  to: Cemetery,
  by: { readonly worker: string; readonly now: number },
): Publication {
  const kept = Object.fromEntries(Object.entries(properties.headers).filter(([name]) => !BROKER_HEADERS.test(name)));
  // Without its expiry: a dead letter is there to be looked at.
  const { expiration: _gone, ...rest } = properties;
  const headers = {
    ...kept,
    "longshore-death-reason": death.reason,
    "longshore-death-error": death.error.slice(0, MAX_ERROR),
    "longshore-death-queue": queue,
    "longshore-death-exchange": exchange,
    "longshore-death-routing-key": routingKey,
    "longshore-death-worker": by.worker,
    "longshore-death-time": new Date(by.now).toISOString(),
  };
  const properties2 = { ...rest, deliveryMode: 2, headers };
  return { exchange: to.exchange, routingKey: to.routingKey ?? queue, properties: properties2, body, mandatory: true };
}

export interface BuryDeps {
  readonly broker: BrokerPort;
  readonly clock: Clock;
  readonly log: TaskLog;
  /** Absent: the broker's own dead-lettering, which knows no reason. */
  readonly cemetery?: Cemetery;
  readonly hostname: string;
}

/**
 * Settles a delivery as dead: published with its reason where the pool keeps its dead letters, and acknowledged once the broker has it;
 * else rejected, so that the queue's own dead-letter exchange takes it, if it has one. A crash in between leaves it twice, never lost.
 */
export async function bury(delivery: Delivery, death: Death, deps: BuryDeps): Promise<void> {
  const { broker, clock, log, cemetery, hostname } = deps;
  if (cemetery === undefined) return void delivery.reject(false);
  try {
    await broker.publish(deadLetter(delivery, death, cemetery, { worker: hostname, now: clock.now() }));
    delivery.ack();
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error;
    log.error({ err: error, queue: delivery.queue, reason: death.reason }, "the dead-letter exchange did not take a message");
    delivery.reject(false);
  }
}
