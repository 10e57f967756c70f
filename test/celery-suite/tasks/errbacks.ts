import { defineTask, z } from "longshore";
import { redis } from "./_redis.ts";
import { MODULE } from "./_signatures.ts";

export const oldStyle = defineTask({
  name: `${MODULE}.errback_old_style`,
  kwargs: z.object({ request_id: z.string() }),
  async run({ request_id }) {
    await redis.incr(request_id);
    return request_id;
  },
});
export const oldStyleWithArgs = defineTask({
  name: `${MODULE}.errback_old_style_with_args`,
  kwargs: z.object({ request_id: z.string(), label: z.string() }),
  run: async ({ request_id, label }) => void (await redis.rpush(request_id, label)),
});

const request = z.looseObject({ id: z.string() });
const failed = { request, exc: z.looseObject({ exc_type: z.string() }), tb: z.string().nullable() };
export const newStyle = defineTask({
  name: `${MODULE}.errback_new_style`,
  takesError: true,
  kwargs: z.object(failed),
  async run({ request }) {
    await redis.incr(request.id);
    return request.id;
  },
});
export const newStyleWithArgs = defineTask({
  name: `${MODULE}.errback_new_style_with_args`,
  takesError: true,
  kwargs: z.object({ ...failed, label: z.string() }),
  run: async ({ request, label }) => void (await redis.rpush(request.id, label)),
});
