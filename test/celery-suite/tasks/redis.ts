import { defineTask, z } from "longshore";
import { redis } from "./_redis.ts";
import { MODULE } from "./_signatures.ts";

/** As redis-py writes a value. */
const text = (value: unknown): string | Buffer => (value instanceof Uint8Array ? Buffer.from(value) : String(value));

export const redisEcho = defineTask({
  name: `${MODULE}.redis_echo`,
  kwargs: z.object({ message: z.unknown(), redis_key: z.string().default("redis-echo") }),
  run: async ({ message, redis_key }) => void (await redis.rpush(redis_key, text(message))),
});
export const redisEchoGroupId = defineTask({
  name: `${MODULE}.redis_echo_group_id`,
  kwargs: z.object({ _: z.unknown(), redis_key: z.string().default("redis-group-ids") }),
  run: async ({ redis_key }, { request }) => void (await redis.rpush(redis_key, request.group ?? "None")),
});
export const redisCount = defineTask({
  name: `${MODULE}.redis_count`,
  kwargs: z.object({ redis_key: z.string().default("redis-count") }),
  run: async ({ redis_key }) => void (await redis.incr(redis_key)),
});
export const sumAndRecord = defineTask({
  name: `${MODULE}.sum_and_record`,
  kwargs: z.object({ values: z.array(z.number()), redis_key: z.string() }),
  async run({ values, redis_key }, { taskId }) {
    await redis.rpush(redis_key, taskId);
    return values.reduce((sum, value) => sum + value, 0);
  },
});
