import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectRedis } from "../../worker/adapters/redis.ts";
import type { StorePort } from "../../worker/ports.ts";
import { encodeTask } from "../../worker/protocol/message.ts";
import { decodeResult, resultKey } from "../../worker/protocol/result.ts";
import { defineTask, Retry, z } from "../../worker/sdk.ts";
import { redis } from "../cluster/cluster.ts";
import type { Life } from "./mortal-worker.ts";
import { openWorld } from "./mortal-world.ts";

const SCHEDULES = Number(process.env["SCHEDULES"] ?? 2_000);
const AT_ONCE = 200;
const LEASE_MS = 500;
const QUEUE = "q";

let store: StorePort;
beforeAll(async () => {
  store = connectRedis({ url: (await redis()).uri, name: "random-schedules", onChange: () => {} });
});
afterAll(() => store[Symbol.asyncDispose]());

/** mulberry32: small, and the same everywhere. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const kwargs = z.object({ key: z.string(), retries: z.number() });

/** Tasks whose effect is counted per key, and that may die before and after it. */
const tasksOf = (effects: Map<string, number>) => (life: Life) => {
  const act = (key: string): Promise<unknown> => life.step(async () => effects.set(key, (effects.get(key) ?? 0) + 1));
  const of = (mode: "at-most-once" | "at-least-once") =>
    defineTask({
      name: `random.${mode}`,
      mode,
      kwargs,
      idempotencyKey: ({ key }) => key,
      async run({ key, retries }, context) {
        if (context.retries < retries) throw new Retry("again", { delayMs: 5 });
        await context.effect();
        await act(key);
        return key;
      },
    });
  const after = defineTask({
    name: "random.after",
    async run(_, { taskId, effect }) {
      await effect();
      await act(taskId);
    },
  });
  return [of("at-most-once"), of("at-least-once"), after];
};

/** Longer than this, and somebody hangs; a schedule takes a few leases. */
const HUNG_MS = 300_000;

async function quiet(world: Promise<void>, seed: number): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`seed ${seed}: somebody hangs`)), HUNG_MS);
  await Promise.race([world, promise]).finally(() => clearTimeout(timer));
}

interface Seen {
  readonly died: number;
  readonly effects: number;
  readonly unknown: number;
  /** What must not be. */
  readonly wrong: readonly string[];
}

/** One key, one to three messages, deaths at random: what the world looks like once it is quiet. */
async function schedule(seed: number): Promise<Seen> {
  const random = seeded(seed);
  const mode = random() < 0.5 ? "at-most-once" : "at-least-once";
  const effects = new Map<string, number>();
  const key = randomUUID();
  const ids: string[] = [randomUUID()];
  const world = openWorld({ store, random, leaseMs: LEASE_MS, deaths: 3, name: key, tasks: tasksOf(effects) });
  const copies = 1 + Math.floor(random() * 3);
  const retries = random() < 0.3 ? 1 : 0;
  const next = randomUUID();
  const link = { task: "random.after", args: [], kwargs: {}, options: { task_id: next }, subtask_type: null, immutable: true };
  const callbacks = random() < 0.4 ? [link] : undefined;
  for (let copy = 0; copy < copies; copy += 1) {
    // A duplicate is the very same message, or another caller's under the same key.
    const isOther = copy > 0 && random() < 0.5;
    const id = isOther ? randomUUID() : (ids[0] ?? "");
    if (isOther) ids.push(id);
    const message = encodeTask({
      id,
      name: `random.${mode}`,
      kwargs: { key, retries },
      origin: "test",
      ...(isOther ? {} : { callbacks }),
    });
    world.send({ exchange: "", routingKey: QUEUE, ...message });
  }
  await quiet(world.quiet, seed);
  const wrong: string[] = [];
  const rows = await store.read([...ids, next].map(resultKey));
  const states = rows.map((row) => (row === undefined ? undefined : decodeResult(row)));
  const after = states.pop();
  const count = effects.get(key) ?? 0;
  const unknown = states.filter((state) => state?.error?.exc_type === "EffectUnknown").length;
  for (const [at, state] of states.entries()) {
    if (state?.state === "SUCCESS" ? state.result !== key : mode === "at-least-once" || state?.error?.exc_type !== "EffectUnknown")
      wrong.push(`caller ${at} got ${JSON.stringify(state)}`);
  }
  if (mode === "at-most-once" && count > 1) wrong.push(`${count} effects at most once`);
  if (count === 0 && unknown === 0) wrong.push("no effect, and nobody says so");
  if (callbacks !== undefined && states[0]?.state === "SUCCESS" && after === undefined) wrong.push("the callback was lost");
  if ((effects.get(next) ?? 0) > 1) wrong.push("the callback ran twice");
  return { died: world.died(), effects: count, unknown, wrong: wrong.map((text) => `seed ${seed}, ${mode}: ${text}`) };
}

test(`${SCHEDULES} random schedules of deaths, lost connections and duplicates: no effect twice, no result lost, nobody hangs`, async () => {
  const first = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  const seen: Seen[] = [];
  let started = 0;
  const lane = async (): Promise<void> => {
    while (started < SCHEDULES) {
      started += 1;
      seen.push(await schedule(first + started));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  expect(seen.flatMap(({ wrong }) => wrong)).toEqual([]);
  const sum = (of: (one: Seen) => number): number => seen.reduce((total, one) => total + of(one), 0);
  // That it was chaos at all.
  expect(sum(({ died }) => died)).toBeGreaterThan(SCHEDULES / 4);
  expect(sum(({ unknown }) => unknown)).toBeGreaterThan(0);
  process.stdout.write(
    `${SCHEDULES} schedules from seed ${first}: ${sum((one) => one.died)} deaths, ${sum((one) => one.unknown)} unknown\n`,
  );
}, 600_000);
