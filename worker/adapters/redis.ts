import { Redis, type RedisOptions } from "ioredis";
import { redisTarget } from "../contract/redis-url.ts";
import type { Script, StorePort } from "../ports.ts";
import { withoutPasswords } from "./amqp-errors.ts";
import { batched } from "./redis-batch.ts";

/** Refusals that pass by themselves or once somebody repairs the server; what was asked is asked again. */
const PASSING =
  /^(NOAUTH|WRONGPASS|LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MISCONF|NOREPLICAS|OOM|BUSY|ERR max number)|connection is closed|ECONN|EPIPE|ETIMEDOUT|socket/i;
const RETRY_MS = 200;
const MAX_RECONNECT_MS = 1_000;

export interface StoreOptions {
  readonly url: string;
  readonly name: string;
  readonly random?: () => number;
  /** One call per change; the text is free of passwords. */
  readonly onChange: (change: { up: boolean; error?: string }) => void;
}

/**
 * One Redis as a `StorePort`. Calls of one script in one moment go out together; what was lost with a connection, or refused for a passing
 * reason, is sent again until it succeeds or this is disposed. Connects in the background; throws only when the URL is not one.
 */
export function connectRedis(options: StoreOptions): StorePort {
  const random = options.random ?? Math.random;
  const settings = {
    connectionName: options.name,
    maxRetriesPerRequest: null,
    keepAlive: 10_000,
    connectTimeout: 5_000,
    socketTimeout: 15_000,
    retryStrategy: (attempt: number) => Math.min(MAX_RECONNECT_MS, 50 * 2 ** Math.min(attempt, 10)) * (0.5 + random() / 2),
    // A replica that was a primary until now: look for the new one.
    reconnectOnError: (error: Error) => error.message.startsWith("READONLY"),
  } satisfies RedisOptions;
  const target = redisTarget(options.url, "CELERY_RESULT_BACKEND");
  const redis = "url" in target ? new Redis(target.url, settings) : new Redis({ ...settings, ...target.sentinel });
  const closing = new AbortController();
  let told: boolean | undefined;
  let trouble = "the connection was closed";
  const tell = (up: boolean, error?: string): void => {
    if (told === up || closing.signal.aborted) return;
    told = up;
    options.onChange(error === undefined ? { up } : { up, error });
  };
  redis.on("error", (error: Error) => (trouble = withoutPasswords(error.message)));
  redis.on("ready", () => tell(true));
  redis.on("close", () => tell(false, trouble));

  const pause = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        reject(new Error("this process is stopping"));
      };
      const timer = setTimeout(() => {
        closing.signal.removeEventListener("abort", stop);
        resolve();
      }, RETRY_MS);
      closing.signal.addEventListener("abort", stop, { once: true });
    });

  const untilTaken = async (ask: () => Promise<unknown>): Promise<unknown> => {
    for (;;) {
      try {
        const reply = await ask();
        if (told === false && redis.status === "ready") tell(true);
        return reply;
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        if (closing.signal.aborted || !PASSING.test(text)) throw new Error(`redis: ${withoutPasswords(text)}`, { cause: error });
        tell(false, withoutPasswords(text));
        await pause();
      }
    }
  };

  const evaluate = async (script: Script, keys: readonly string[], given: readonly (string | number | Uint8Array)[]): Promise<unknown> => {
    const args = given.map((arg) => (arg instanceof Uint8Array ? Buffer.from(arg) : arg));
    try {
      return await redis.evalsha(script.sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
      return await redis.eval(script.source, keys.length, ...keys, ...args);
    }
  };

  /** For a whole batch at once: a promise more for each of its calls is what a busy worker would feel. */
  const together = batched(
    (script, keys, args) => untilTaken(() => evaluate(script, keys, args)),
    (error, script, keys, args) => {
      let asked = false;
      return untilTaken(() => {
        if (asked) return evaluate(script, keys, args);
        asked = true;
        return Promise.reject(error);
      });
    },
  );

  return {
    clustered: false,
    get connected() {
      return redis.status === "ready" && told !== false;
    },
    run: together,
    // One by one: they may lie in different slots.
    read: (keys) => Promise.all(keys.map(async (key) => ((await untilTaken(() => redis.getBuffer(key))) as Buffer | null) ?? undefined)),
    command: (name, ...args) => untilTaken(() => redis.call(name, ...args)),
    async [Symbol.asyncDispose]() {
      closing.abort();
      redis.disconnect();
    },
  };
}
