/** What the engine needs of the outside world. `adapters/` implement these; only `main.ts` and `test/` import an adapter. */

/** Properties and headers of an AMQP message, by their AMQP names. Absent fields are absent, not null. */
export interface MessageProperties {
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly correlationId?: string;
  readonly replyTo?: string;
  readonly deliveryMode?: number;
  readonly priority?: number;
  /** Milliseconds, as a string, as AMQP has it. */
  readonly expiration?: string;
  readonly messageId?: string;
  /** Seconds since the epoch. */
  readonly timestamp?: number;
  readonly type?: string;
  readonly appId?: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** One message handed over by the broker; it must be settled exactly once. */
export interface Delivery {
  readonly queue: string;
  readonly exchange: string;
  readonly routingKey: string;
  readonly redelivered: boolean;
  /** Set by quorum queues: how often it was delivered before and not acknowledged. */
  readonly deliveryCount?: number;
  readonly properties: MessageProperties;
  readonly body: Buffer;
  /** Settling a delivery whose channel is gone does nothing: the broker has taken it back already. Never throws. Returns whether it was sent. */
  ack(): boolean;
  /** `requeue: false` dead-letters where the queue says so, else drops. */
  reject(requeue: boolean): boolean;
}

export interface Publication {
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: MessageProperties;
  readonly body: Buffer;
  /** Fail with `Unroutable` when no queue takes it. */
  readonly mandatory?: boolean;
}

/** A live subscription. It survives reconnects until it is cancelled. */
export interface Consumer {
  readonly queue: string;
  /** Stops new deliveries; what was delivered stays unacked and is settled as before. Resolves when the broker confirmed. */
  cancel(): Promise<void>;
}

/** The broker, as a worker sees it. RabbitMQ is the first implementation, not the only one. */
export interface BrokerPort extends AsyncDisposable {
  /**
   * Subscribes to a queue that must exist; resolves when the broker confirmed. At most `prefetch` deliveries are unacked at a time.
   * After a lost connection it subscribes again by itself, within 2 s of the broker's return.
   * Throws when the queue is missing or access is refused.
   */
  consume(queue: string, prefetch: number, onDelivery: (delivery: Delivery) => void): Promise<Consumer>;
  /** Resolves when the broker took responsibility (publisher confirm). Throws when it did not, and when `mandatory` found no queue. */
  publish(message: Publication): Promise<void>;
  /** Publishes so that the message arrives after `delayMs` at the earliest; the waiting happens in the broker, never in this process. */
  publishLater(message: Publication, delayMs: number): Promise<void>;
  /** A private, transient subscription to an exchange that is declared if missing: remote control. */
  subscribe(
    exchange: { name: string; type: "fanout" | "topic" | "direct"; durable: boolean },
    queue: string,
    key: string,
    onMessage: (delivery: Delivery) => void,
  ): Promise<Consumer>;
  readonly connected: boolean;
}

/**
 * What went wrong at the broker, in five kinds; adapters convert their library's errors to this once, at the edge.
 * `interrupted` and `unreachable` pass by themselves: try again. The others need somebody to change something.
 */
export type BrokerFailure = "unroutable" | "missing" | "refused" | "interrupted" | "unreachable" | "invalid";

/** Thrown by a `BrokerPort`. The message never contains a password. */
export class BrokerError extends Error {
  override readonly name = "BrokerError";
  readonly failure: BrokerFailure;
  constructor(failure: BrokerFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
  /** Whether the same call may succeed later with nothing changed. */
  get passing(): boolean {
    return this.failure === "interrupted" || this.failure === "unreachable";
  }
}

/** A Lua script, called by its digest. */
export interface Script {
  readonly name: string;
  readonly source: string;
  readonly sha: string;
}

/**
 * The Redis that holds results, leases and heartbeats. A call waits while the connection is lost and is sent again when it is back,
 * so that a script may run twice: every script must be safe to repeat. Rejects only when the server refuses, or on disposal.
 */
export interface StorePort extends AsyncDisposable {
  readonly connected: boolean;
  /** A Redis cluster: one script may touch one slot only. */
  readonly clustered: boolean;
  run(script: Script, keys: readonly string[], args: readonly (string | number | Uint8Array)[]): Promise<unknown>;
  /** The values of keys, byte for byte; undefined where there is none. */
  read(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]>;
  command(name: string, ...args: readonly (string | number)[]): Promise<unknown>;
}

/** Time and ids come in from outside, so that tests own them. */
export interface Clock {
  now(): number;
  setTimeout(fn: () => void, ms: number): { cancel(): void };
}
