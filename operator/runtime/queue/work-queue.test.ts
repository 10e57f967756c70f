import { expect, test } from "vitest";
import { createFakeClock, settled } from "../../../test/fakes/clock.ts";
import { BACKGROUND, createWorkQueue } from "./work-queue.ts";

const never = new AbortController().signal;
const setup = () => {
  const clock = createFakeClock();
  return { clock, queue: createWorkQueue({ clock, random: () => 0 }) };
};

/** Takes, without waiting for what is not there. */
async function taken(queue: ReturnType<typeof createWorkQueue>): Promise<readonly string[]> {
  const stop = new AbortController();
  const keys: string[] = [];
  const loop = (async () => {
    for (let key = await queue.take(stop.signal); key !== undefined; key = await queue.take(stop.signal)) keys.push(key);
  })();
  await settled();
  stop.abort();
  await loop;
  return keys;
}

test("a key that waits already is not there twice", async () => {
  const { queue } = setup();
  for (const key of ["a", "b", "a"]) queue.add(key);
  expect(await taken(queue)).toEqual(["a", "b"]);
});

test("a key is never worked on twice at a time: added meanwhile, it comes again after done", async () => {
  const { queue } = setup();
  queue.add("a");
  expect(await taken(queue)).toEqual(["a"]);
  queue.add("a");
  queue.add("a");
  expect(await taken(queue)).toEqual([]);
  queue.done("a");
  expect(await taken(queue)).toEqual(["a"]);
  queue.done("a");
  expect(await taken(queue)).toEqual([]);
});

test("what is new goes before the initial list, and within that in order", async () => {
  const { queue } = setup();
  for (const key of ["old-1", "old-2", "old-3"]) queue.add(key, { priority: BACKGROUND });
  queue.add("new-1");
  queue.add("new-2");
  queue.add("old-3");
  expect(await taken(queue)).toEqual(["new-1", "new-2", "old-3", "old-1", "old-2"]);
});

test("a key that came back while worked on keeps the higher priority", async () => {
  const { queue } = setup();
  queue.add("a");
  await taken(queue);
  queue.add("a");
  queue.add("a", { priority: BACKGROUND });
  queue.add("b", { priority: -1 });
  queue.done("a");
  expect(await taken(queue)).toEqual(["a", "b"]);
});

test("a delayed key comes when its time has come, and the earlier time wins", async () => {
  const { queue, clock } = setup();
  queue.add("a", { afterMs: 100 });
  queue.add("a", { afterMs: 50 });
  queue.add("a", { afterMs: 500 });
  await clock.advance(49);
  expect(await taken(queue)).toEqual([]);
  await clock.advance(1);
  expect(await taken(queue)).toEqual(["a"]);
  expect(clock.pending).toBe(0);
});

test("retries wait twice as long each time, up to the cap, until forgotten; each key by itself", async () => {
  const clock = createFakeClock();
  using queue = createWorkQueue({ clock, random: () => 0, backoff: { baseMs: 5, capMs: 20 } });
  const waits: number[] = [];
  const wait = async (key: string) => {
    const from = clock.elapsed();
    queue.retry(key);
    while ((await taken(queue)).length === 0) await clock.advance(1);
    queue.done(key);
    waits.push(clock.elapsed() - from);
  };
  for (let failure = 0; failure < 4; failure++) await wait("a");
  await wait("b");
  queue.forget("a");
  await wait("a");
  expect(waits).toEqual([5, 10, 20, 20, 5, 5]);
});

test("who waits gets the key at once, and only one gets it", async () => {
  const { queue } = setup();
  const first = queue.take(never);
  const second = queue.take(never);
  queue.add("a");
  expect(await first).toBe("a");
  queue.add("b");
  expect(await second).toBe("b");
});

test("disposal ends every wait, now and later, and cancels what is delayed", async () => {
  const { queue, clock } = setup();
  const waiting = queue.take(never);
  queue.add("a", { afterMs: 10 });
  queue[Symbol.dispose]();
  queue[Symbol.dispose]();
  expect(await waiting).toBeUndefined();
  queue.add("b");
  expect(await queue.take(never)).toBeUndefined();
  expect(clock.pending).toBe(0);
});

test("an aborted wait takes no key with it", async () => {
  const { queue } = setup();
  const stop = new AbortController();
  const waiting = queue.take(stop.signal);
  stop.abort();
  queue.add("a");
  expect(await waiting).toBeUndefined();
  expect(await queue.take(never)).toBe("a");
});
