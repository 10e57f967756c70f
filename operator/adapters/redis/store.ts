import { Redis, type RedisOptions } from "ioredis";
import { redisTarget } from "../../../worker/contract/redis-url.ts";
import type { StorePort } from "../ports.ts";
import { StoreError } from "./store-error.ts";

export interface StoreOptions {
  /** redis(s)://user:password@host:port/db or sentinel://…, as `redisTarget` reads it. Never shown. */
  readonly uri: string;
  /** How long an answer may take, ms; default 2,000. */
  readonly timeoutMs?: number;
}

/** One connection to a Redis, opened when first used. It reconnects by itself; while it cannot, calls fail at once, with `StoreError`. */
export function openRedis({ uri, timeoutMs = 2_000, name = "longshore-operator" }: StoreOptions & { readonly name?: string }): {
  readonly redis: Redis;
  readonly call: <T>(work: () => Promise<T>) => Promise<T>;
} {
  const target = redisTarget(uri, "the Store's URI");
  const settings = {
    lazyConnect: true,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    connectionName: name,
    retryStrategy: (attempt: number) => Math.min(100 * 2 ** attempt, 2_000),
  } satisfies RedisOptions;
  const redis = "url" in target ? new Redis(target.url, settings) : new Redis({ ...settings, ...target.sentinel });
  let cause: unknown;
  redis.on("error", (error: unknown) => {
    // Kept for whoever asks next: ioredis answers a call without a connection with a bare "Stream isn't writeable".
    cause = error;
  });
  redis.on("ready", () => {
    cause = undefined;
  });

  let opening: Promise<void> | undefined;
  const call = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      if (redis.status === "wait") opening = redis.connect().finally(() => (opening = undefined));
      await opening;
      return await work();
    } catch (error) {
      throw StoreError.from(cause ?? error);
    }
  };

  return { redis, call };
}

/** What topology and autoscaling need of a Redis, over one such connection. */
export function createStore(options: StoreOptions): StorePort {
  const { redis, call } = openRedis(options);
  return {
    probe: () =>
      call(async () => {
        const info = await redis.info();
        const field = (name: string) => new RegExp(`^${name}:(.*?)\r?$`, "m").exec(info)?.[1];
        const version = field("valkey_version") ?? field("redis_version") ?? "unknown";
        const clustered = field("redis_mode") === "cluster";
        return { version, evictionPolicy: field("maxmemory_policy") ?? "unknown", clustered };
      }),
    readHashes: (keys) =>
      call(async () => {
        if (keys.length === 0) return [];
        const pipeline = redis.pipeline();
        for (const key of keys) pipeline.hgetall(key);
        const answers = (await pipeline.exec()) ?? [];
        return answers.map(([error, hash]) => {
          if (error !== null) throw error;
          return toHash(hash);
        });
      }),
    async [Symbol.asyncDispose]() {
      redis.disconnect();
    },
  };
}

function toHash(hash: unknown): Readonly<Record<string, string>> {
  if (typeof hash !== "object" || hash === null) return {};
  return Object.fromEntries(Object.entries(hash).map(([field, value]) => [field, String(value)]));
}
