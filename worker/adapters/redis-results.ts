import { Redis } from "ioredis";
import type { ResultsPort } from "../client/ports.ts";
import { withoutPasswords } from "./amqp-errors.ts";

interface Watched {
  readonly listeners: Set<(row: Uint8Array) => void>;
  /** Resolves when the server has confirmed the subscription. */
  readonly listening: Promise<unknown>;
}

/**
 * Results in Redis: one connection reads, a second listens, made when first needed. Both come back by themselves; then every watched key
 * is read again, so that what was published in between is not missed. Throws only when the URL is not one.
 */
export function connectResults(options: {
  readonly url: string;
  readonly name: string;
  readonly onError: (message: string) => void;
}): ResultsPort {
  const url = URL.parse(options.url);
  if (url === null || !/^rediss?:$/.test(url.protocol)) throw new Error("resultBackend: expected redis(s)://:password@host:port/db");
  const settings = { connectionName: options.name, enableAutoPipelining: true, maxRetriesPerRequest: null, keepAlive: 10_000 };
  const reader = new Redis(url.href, settings);
  const report = (error: Error): void => options.onError(withoutPasswords(error.message));
  reader.on("error", report);
  const watched = new Map<string, Watched>();
  let subscriber: Redis | undefined;
  let disposed = false;

  const reread = async (key: string): Promise<void> => {
    const row = await reader.getBuffer(key);
    if (row !== null) for (const listener of watched.get(key)?.listeners ?? []) listener(row);
  };

  /** ioredis would do the first half by itself, but a connection lost again meanwhile is then a rejection that nobody can catch. */
  const resume = async (connection: Redis): Promise<void> => {
    const keys = [...watched.keys()];
    if (keys.length === 0) return;
    await connection.subscribe(...keys);
    await Promise.all(keys.map(reread));
  };

  const listen = (): Redis => {
    if (subscriber !== undefined) return subscriber;
    const connection = reader.duplicate({
      ...settings,
      enableAutoPipelining: false,
      autoResubscribe: false,
      connectionName: `${options.name}-subscribe`,
    });
    connection.on("error", report);
    connection.on("messageBuffer", (channel: Buffer, row: Buffer) => {
      for (const listener of watched.get(channel.toString())?.listeners ?? []) listener(row);
    });
    connection.on("ready", () => void resume(connection).catch(report));
    subscriber = connection;
    return connection;
  };

  const leave = (key: string, listener: (row: Uint8Array) => void): void => {
    const entry = watched.get(key);
    if (entry === undefined || !entry.listeners.delete(listener) || entry.listeners.size > 0) return;
    watched.delete(key);
    if (!disposed) void subscriber?.unsubscribe(key).catch(report);
  };

  return {
    async watch(key, onRow) {
      const entry = watched.get(key) ?? { listeners: new Set(), listening: listen().subscribe(key) };
      watched.set(key, entry);
      entry.listeners.add(onRow);
      try {
        await entry.listening;
        const row = await reader.getBuffer(key);
        if (row !== null && entry.listeners.has(onRow)) onRow(row);
      } catch (error) {
        leave(key, onRow);
        throw new Error(`redis: ${withoutPasswords(error instanceof Error ? error.message : String(error))}`, { cause: error });
      }
      return () => leave(key, onRow);
    },
    read: async (key) => (await reader.getBuffer(key)) ?? undefined,
    async write(key, value, ttlSeconds) {
      await reader.set(key, value, "EX", ttlSeconds);
    },
    async remove(key) {
      await reader.del(key);
    },
    async [Symbol.asyncDispose]() {
      disposed = true;
      reader.disconnect();
      subscriber?.disconnect();
    },
  };
}
