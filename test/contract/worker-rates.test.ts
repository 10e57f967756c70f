import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectRedis } from "../../worker/adapters/redis.ts";
import { openGlobalRates } from "../../worker/leases/global-rates.ts";
import type { StorePort } from "../../worker/ports.ts";
import { redis } from "../cluster/cluster.ts";

const stores: StorePort[] = [];
beforeAll(async () => {
  const { uri } = await redis();
  for (const name of ["rates-a", "rates-b"]) stores.push(connectRedis({ url: uri, name, onChange: () => {} }));
});
afterAll(() => Promise.all(stores.map((store) => store[Symbol.asyncDispose]())));

/** Waits that many calls at a time are given, by two workers in turn, in order. Slow machines make them shorter, never longer. */
async function waits(count: number, rate: { perSecond: number; burst: number }): Promise<readonly (number | undefined)[]> {
  const key = `test:${randomUUID()}`;
  const takers = stores.map((store) => openGlobalRates(store));
  const all = await Promise.all(Array.from({ length: count }, async (_, at) => await takers[at % takers.length]?.take(key, rate)));
  return all.toSorted((a, b) => (a ?? Infinity) - (b ?? Infinity));
}

test("all workers together get evenly spaced places, one each", async () => {
  // One per 1,000 s: the time that the calls themselves take does not show.
  const got = await waits(4, { perSecond: 0.001, burst: 1 });
  expect(got.map((wait) => Math.round((wait ?? 0) / 1_000_000))).toEqual([0, 1, 2, 3]);
});

test("a burst starts at once, what follows is spaced", async () => {
  const got = await waits(5, { perSecond: 0.001, burst: 3 });
  expect(got.map((wait) => Math.round((wait ?? 0) / 1_000_000))).toEqual([0, 0, 0, 1, 2]);
});

test("places further off than an hour are not given away", async () => {
  expect(await waits(6, { perSecond: 0.001, burst: 1 })).toEqual([
    0,
    ...Array.from({ length: 3 }, () => expect.any(Number)),
    undefined,
    undefined,
  ]);
});

test("keys do not know of each other, and leave nothing behind", async () => {
  const [store] = stores;
  if (store === undefined) throw new Error("no store");
  const rates = openGlobalRates(store);
  const [a, b] = [randomUUID(), randomUUID()];
  expect([await rates.take(a, { perSecond: 1, burst: 1 }), await rates.take(b, { perSecond: 1, burst: 1 })]).toEqual([0, 0]);
  expect(Number(await store.command("PTTL", `longshore:rate:{${a}}`))).toBeGreaterThan(0);
});
