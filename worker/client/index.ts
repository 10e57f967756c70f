import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
// The client's composition root: it joins the adapters for those who only want `connect`.
// oxlint-disable-next-line no-restricted-imports
import { connectAmqp } from "../adapters/amqp.ts";
// oxlint-disable-next-line no-restricted-imports
import { connectResults } from "../adapters/redis-results.ts";
import { decompress } from "../compression.ts";
import { type Client, createClient } from "./client.ts";
import type { ErrorMakers } from "./errors.ts";
import type { Routes } from "./routes.ts";

export type { AsyncResult, WaitOptions } from "./async-result.ts";
export type { Client, TaskHandle } from "./client.ts";
export { NotRegisteredError, ResultTimeoutError, TaskError, TaskRevokedError, TimeLimitError } from "./errors.ts";
export type { SendOptions } from "./send.ts";
export { chain, chord, group, immutable, signature } from "./signature.ts";

export interface ConnectOptions {
  /** amqp(s)://user:password@host:port/vhost */
  readonly brokerUrl: string;
  /** redis(s)://:password@host:port/db; without it, results cannot be read. */
  readonly resultBackend?: string;
  readonly routes?: Routes;
  /** Default `celery`. */
  readonly defaultQueue?: string;
  /** Classes of your own for errors, by the Python class that a task raises. */
  readonly errors?: ErrorMakers;
  /** Told of lost connections; the text holds no password. Default: nothing is said, the calls themselves fail or wait. */
  readonly onTrouble?: (message: string) => void;
}

/**
 * A producer of Celery tasks. Returns at once and connects in the background; dispose it to end its connections.
 * Throws only when a URL is not one.
 */
export function connect(options: ConnectOptions): Client {
  const name = "longshore-client";
  const say = options.onTrouble ?? ((): void => {});
  const broker = connectAmqp({
    url: options.brokerUrl,
    name,
    onChange: ({ what, up, error }) => (up ? undefined : say(`${what}: ${error?.message ?? "lost"}`)),
  });
  const results = options.resultBackend === undefined ? undefined : connectResults({ url: options.resultBackend, name, onError: say });
  const origin = `gen${process.pid}@${hostname()}`;
  return createClient(
    broker,
    { results, errors: options.errors ?? {}, decompress },
    { routes: options.routes, defaultQueue: options.defaultQueue, origin },
    { now: Date.now, newId: randomUUID, pause: (ms) => pause(ms) },
  );
}
