import { expect, test } from "vitest";
import type { Heartbeat } from "../../../worker/contract/heartbeat.ts";
import { hear, NO_BEATS } from "./heartbeats.ts";

const beat = (seq: number, given: Partial<Heartbeat> = {}): string =>
  JSON.stringify({
    v: 1,
    pod: "a",
    boot: "x",
    seq,
    at: 0,
    state: "running",
    consuming: ["q"],
    slots: 2,
    busy: 0,
    unacked: 0,
    finished: 0,
    failed: 0,
    redelivered: 0,
    busyMs: 0,
    waitMs: 0,
    waited: 0,
    ...given,
  });

test("what was there at the first look may be of any age", () => {
  expect(hear(NO_BEATS, { a: beat(1) }, 1_000).byPod.get("a")?.heardAt).toBeUndefined();
});

test("a beat is as old as the look at which its seq had changed, by our clock", () => {
  const first = hear(NO_BEATS, { a: beat(1) }, 1_000);
  const second = hear(first, { a: beat(2, { at: 99_999_999 }) }, 2_000);
  const third = hear(second, { a: beat(2, { at: 99_999_999 }) }, 9_000);
  expect([second, third].map(({ byPod }) => byPod.get("a")?.heardAt)).toEqual([2_000, 2_000]);
});

test("a worker that is new between two looks is fresh", () => {
  const first = hear(NO_BEATS, {}, 1_000);
  expect(hear(first, { a: beat(1) }, 2_000).byPod.get("a")?.heardAt).toBe(2_000);
});

test("a process that began anew is fresh, even with the same seq", () => {
  const first = hear(NO_BEATS, { a: beat(1) }, 1_000);
  expect(hear(first, { a: beat(1, { boot: "y" }) }, 2_000).byPod.get("a")?.heardAt).toBe(2_000);
});

test("what is no heartbeat is silence", () => {
  expect(hear(NO_BEATS, { a: "{", b: "null", c: '{"v":2}' }, 1_000).byPod.size).toBe(0);
});
