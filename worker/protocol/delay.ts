/**
 * Celery's native delayed delivery: 28 levels of queues, level L holding a message for 2^L seconds when bit L of the delay is set.
 * kombu/transport/native_delayed_delivery.py. Topic exchanges only: the routing key is suffixed to the bits.
 */
export const DELAY_LEVELS = 28;
/** 2^28 - 1 seconds, eight and a half years. */
export const MAX_DELAY_SECONDS = 2 ** DELAY_LEVELS - 1;
/** Where a message comes out of the ladder. */
export const DELAY_EXIT = "celery_delayed_delivery";
const PREFIX = new RegExp(`^(?:[01]\\.){${DELAY_LEVELS}}`);
const level = (index: number): string => `celery_delayed_${index}`;

export interface DelayTopology {
  readonly exchanges: readonly { readonly name: string; readonly type: "topic"; readonly durable: true }[];
  readonly queues: readonly {
    readonly name: string;
    readonly durable: true;
    readonly arguments: Readonly<Record<string, string | number>>;
  }[];
  /** `destination` is a queue or, where `toExchange`, an exchange. */
  readonly bindings: readonly {
    readonly source: string;
    readonly destination: string;
    readonly toExchange: boolean;
    readonly routingKey: string;
  }[];
}

/**
 * Where to publish so that the message arrives at `routingKey` after `seconds`: the exchange of the highest level and the 28 bits before the key.
 * Throws RangeError for less than one second, more than the maximum, or no routing key.
 */
export function delayedRoute(seconds: number, routingKey: string): { readonly exchange: string; readonly routingKey: string } {
  const whole = Math.trunc(seconds);
  if (!(whole >= 1 && whole <= MAX_DELAY_SECONDS)) throw new RangeError(`a delay is 1 to ${MAX_DELAY_SECONDS} seconds, not ${seconds}`);
  if (routingKey === "") throw new RangeError("a delayed message needs a routing key");
  const key = routingKey.replace(PREFIX, ""); // of an earlier delay: the key must not grow with every retry
  const bits = whole.toString(2).padStart(DELAY_LEVELS, "0");
  return { exchange: level(DELAY_LEVELS - 1), routingKey: `${bits.split("").join(".")}.${key}` };
}

/** The exchanges, queues and bindings that every worker declares alike, as `declare_native_delayed_delivery_exchanges_and_queues` does. */
export function delayTopology(queueType: "classic" | "quorum" = "quorum"): DelayTopology {
  const levels = Array.from({ length: DELAY_LEVELS }, (_, index) => DELAY_LEVELS - 1 - index);
  const wildcards = (at: number): string => "*.".repeat(DELAY_LEVELS - 1 - at);
  const next = (at: number): string => (at > 0 ? level(at - 1) : DELAY_EXIT);
  return {
    exchanges: [...levels.map(level), DELAY_EXIT].map((name) => ({ name, type: "topic", durable: true })),
    queues: levels.map((at) => ({
      name: level(at),
      durable: true,
      arguments: {
        "x-queue-type": queueType,
        "x-overflow": "reject-publish",
        "x-message-ttl": 2 ** at * 1_000,
        "x-dead-letter-exchange": next(at),
        ...(queueType === "quorum" ? { "x-dead-letter-strategy": "at-least-once" } : {}),
      },
    })),
    bindings: levels.flatMap((at) => [
      { source: level(at), destination: level(at), toExchange: false, routingKey: `${wildcards(at)}1.#` },
      { source: level(at), destination: next(at), toExchange: true, routingKey: `${wildcards(at)}0.#` },
    ]),
  };
}

/** The two bindings that let delayed messages reach one task queue. */
export function delayBindings(queue: string, exchange: string, routingKey: string): DelayTopology["bindings"] {
  const key = routingKey.startsWith("#") ? routingKey : `#.${routingKey}`;
  return [
    { source: DELAY_EXIT, destination: exchange, toExchange: true, routingKey: key },
    { source: exchange, destination: queue, toExchange: false, routingKey: key },
  ];
}
