import { expect, test } from "vitest";
import { createScheduleWorld, scheduleObject } from "../../test/fakes/schedule-world.ts";
import { duesNow } from "./catch-up.ts";

const MINUTE = 60_000;
const everyMinute = { every: "1m" } as const;
const ownerOf = (world: ReturnType<typeof createScheduleWorld>) => world.records.get("uid-s")?.["owner"];

test("a due time is claimed ahead, and published not a moment before its time", async () => {
  const world = createScheduleWorld();
  world.put(scheduleObject(everyMinute));
  await using _ = world.leader("a");
  await world.pass(MINUTE - 301);
  expect(ownerOf(world)).toBeUndefined();
  await world.pass(1);
  expect(ownerOf(world)).toBe("a");
  await world.pass(299);
  expect(world.dues()).toEqual([]);
  await world.pass(1);
  expect(world.dues()).toEqual([1]);
  expect(ownerOf(world)).toBeUndefined();
});

test("a schedule that is suspended or gets other times while its due time waits publishes nothing", async () => {
  for (const change of ["suspend", "change"] as const) {
    const world = createScheduleWorld();
    world.put(scheduleObject(everyMinute));
    await using _ = world.leader("a");
    await world.pass(MINUTE - 100);
    expect(ownerOf(world)).toBe("a");
    const other = change === "suspend" ? { ...everyMinute, suspend: true } : { every: "1h" };
    world.put(scheduleObject(other, { generation: 2, resourceVersion: "2" }));
    await world.pass(10 * MINUTE);
    expect(world.dues()).toEqual([]);
    expect(world.records.get("uid-s")).toMatchObject({ missed: "0", published: "0" });
  }
});

test("a leader whose term ends while a due time waits gives its claim back at once, and the next one publishes in time", async () => {
  const world = createScheduleWorld();
  world.put(scheduleObject(everyMinute));
  const a = world.leader("a");
  await world.pass(MINUTE - 250);
  a.end();
  await a[Symbol.asyncDispose]();
  expect([ownerOf(world), world.dues()]).toEqual([undefined, []]);
  await using _ = world.leader("b");
  await world.pass(250);
  expect(world.dues()).toEqual([1]);
});

test("where the run before counts, nothing is planned ahead: it may end in the last moment", async () => {
  const world = createScheduleWorld();
  world.put(scheduleObject({ ...everyMinute, concurrencyPolicy: "Forbid" }));
  await using _ = world.leader("a");
  await world.pass(2 * MINUTE - 1);
  const [{ correlationId: first } = { correlationId: "" }] = world.published;
  world.runs.set(first, { state: "SUCCESS", over: true });
  await world.pass(1);
  expect(world.dues()).toEqual([1, 2]);
});

test("looking ahead finds what is due soon, and calls nothing missed before it is", () => {
  const timing = { uid: "u", rhythm: { type: "every", periodMs: 1_000, anchor: 0 }, jitterMs: 0 } as const;
  const input = { timing, cursor: 0, now: 20_800, until: 21_100, onTimeMs: 15_000, deadlineMs: 20_000, limit: 100 };
  const all = duesNow({ ...input, catchUp: "FireAll" });
  expect([all.fire[0], all.fire.at(-1), all.missed, all.nextAt]).toEqual([1_000, 21_000, 0, 22_000]);
  expect(duesNow({ ...input, now: 21_001, catchUp: "FireAll" })).toMatchObject({ missed: 1 });
});
