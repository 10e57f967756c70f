import { BrokerError, type BrokerPort, type Clock, type Publication } from "../ports.ts";
import { buildEvent, type CeleryEvent, EVENT_BUFFER_LIMIT, encodeEvent, encodeEventBatch } from "../protocol/events.ts";
import type { Lamport } from "./lamport.ts";

/** How often a worker says that it lives, s: Celery's. */
const WORKER_BEAT_S = 2;

export interface Events extends AsyncDisposable {
  /** Task events are off until somebody asks for them. */
  enabled: boolean;
  /** Buffered; several of one turn of the event loop go out as one message. Does nothing while disabled. */
  task(type: string, fields: () => Readonly<Record<string, unknown>>): void;
  /** A worker-heartbeat now, as remote control may ask. */
  beat(): void;
}

export interface EventsDeps {
  readonly broker: BrokerPort;
  readonly clock: Clock;
  readonly lamport: Lamport;
  readonly hostname: string;
  readonly pid: number;
  /** Fields of worker-online, worker-heartbeat and worker-offline. */
  readonly vitals: () => Readonly<Record<string, unknown>>;
}

/** Publishes Celery's events. They are for eyes only: one that cannot be sent now is lost, and nothing waits for it. */
export function startEvents(deps: EventsDeps): Events {
  const { broker, clock, lamport } = deps;
  let buffer: CeleryEvent[] = [];
  let flushing = false;
  let timer: { cancel(): void } | undefined;

  const build = (type: string, fields: Readonly<Record<string, unknown>>): CeleryEvent => {
    const origin = { hostname: deps.hostname, pid: deps.pid, clock: lamport.forward(), timestamp: clock.now() / 1_000 };
    return buildEvent(type, origin, fields);
  };
  const send = async (message: Publication): Promise<void> => {
    if (!broker.connected) return;
    try {
      await broker.publish(message);
    } catch (error) {
      // `celeryev` is declared by whoever listens: nobody has yet.
      if (!(error instanceof BrokerError)) throw error;
    }
  };
  const flush = (): void => {
    flushing = false;
    const events = buffer;
    buffer = [];
    if (events.length > 0) void send(encodeEventBatch(events));
  };
  const worker = (type: string): Promise<void> => send(encodeEvent(build(type, { freq: WORKER_BEAT_S, ...deps.vitals() })));
  const tick = (): void => {
    timer = clock.setTimeout(() => {
      void worker("worker-heartbeat");
      tick();
    }, WORKER_BEAT_S * 1_000);
  };
  void worker("worker-online");
  tick();

  return {
    enabled: false,
    task(type, fields) {
      if (!this.enabled) return;
      buffer.push(build(type, fields()));
      if (buffer.length >= EVENT_BUFFER_LIMIT) flush();
      else if (!flushing) {
        flushing = true;
        setImmediate(flush);
      }
    },
    beat: () => void worker("worker-heartbeat"),
    async [Symbol.asyncDispose]() {
      timer?.cancel();
      flush();
      await worker("worker-offline");
    },
  };
}
