import { expect, test } from "vitest";
import type { StorePort } from "../ports.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { startHeart } from "./heartbeat.ts";
import { newTally } from "./tally.ts";

test("a worker whose tasks come one by one beats ten times a second at most, and says in the end what it is", async () => {
  const clock = fakeClock(0);
  const beats: number[] = [];
  const store = {
    connected: true,
    command: async (name: string) => void (name === "HSET" && beats.push(clock.now())),
  } as Partial<StorePort> as StorePort;
  await using heart = startHeart({
    store,
    clock,
    pool: { namespace: "n", name: "p" },
    pod: "pod",
    boot: "boot",
    tally: newTally(),
    slots: () => 1,
    state: () => "running",
    consuming: () => [],
  });
  for (let at = 0; at < 45; at += 1) {
    heart.beatSoon();
    await clock.advance(10);
  }
  expect(beats).toEqual([0, 100, 200, 300, 400]);
});
