import { expect, test } from "vitest";
import { createScheduleWorld, scheduleObject } from "../../test/fakes/schedule-world.ts";
import type { CatchUp } from "./catch-up.ts";

const MINUTE = 60_000;
const everyMinute = { every: "1m" } as const;
const ids = (world: ReturnType<typeof createScheduleWorld>) => world.published.map(({ correlationId }) => correlationId);

test("each due time is published once, at its time, with an id that follows from it", async () => {
  const world = createScheduleWorld();
  world.put(scheduleObject(everyMinute));
  await using _ = world.leader("a");
  await world.pass(MINUTE - 1);
  expect(world.dues()).toEqual([]);
  await world.pass(1 + 4 * MINUTE);
  expect(world.dues()).toEqual([1, 2, 3, 4, 5]);
  expect(new Set(ids(world)).size).toBe(5);
  expect(world.records.get("uid-s")).toMatchObject({ published: "5", missed: "0", lastTaskId: ids(world).at(-1) });
});

test("of two leaders at the same time one publishes, and the other goes on where it ended", async () => {
  const world = createScheduleWorld();
  world.put(scheduleObject(everyMinute));
  await using a = world.leader("a");
  await using _ = world.leader("b");
  await world.pass(5 * MINUTE);
  expect(world.dues()).toEqual([1, 2, 3, 4, 5]);
  a.end();
  await a[Symbol.asyncDispose]();
  await world.pass(5 * MINUTE);
  expect(world.dues()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test("a leader that dies before it could write down what it published: the next one publishes the same task again", async () => {
  const world = createScheduleWorld();
  world.put(scheduleObject(everyMinute));
  const a = world.leader("a");
  await world.pass(MINUTE - 1);
  world.broken.settle = true;
  await world.pass(1);
  a.end();
  await a[Symbol.asyncDispose]();
  delete world.broken.settle;
  await using _ = world.leader("b");
  await world.pass(5_000);
  expect(world.dues()).toEqual([1, 1]);
  expect(new Set(ids(world)).size).toBe(1);
});

test("a store that goes right after the publishing does not make this leader publish again", async () => {
  const world = createScheduleWorld();
  world.put(scheduleObject(everyMinute));
  await using _ = world.leader("a");
  await world.pass(MINUTE - 1);
  world.broken.settle = true;
  await world.pass(30_000);
  delete world.broken.settle;
  await world.pass(MINUTE);
  expect(world.dues()).toEqual([1, 2]);
});

test("a confirm that is lost: the same task is published again, and counted once", async () => {
  const world = createScheduleWorld();
  world.put(scheduleObject(everyMinute));
  await using _ = world.leader("a");
  await world.pass(MINUTE - 1);
  world.broken.swallow = true;
  await world.pass(100);
  delete world.broken.swallow;
  await world.pass(5_000);
  expect(world.dues()).toEqual([1, 1]);
  expect(new Set(ids(world)).size).toBe(1);
  expect(world.records.get("uid-s")).toMatchObject({ published: "1" });
});

const outages: readonly [catchUp: CatchUp, during: "broker" | "store", want: readonly number[], missed: number][] = [
  ["Skip", "broker", [1, 11], 9],
  ["FireOnce", "broker", [1, 10, 11], 8],
  ["FireAll", "broker", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], 0],
  ["Skip", "store", [1, 11], 9],
  ["FireOnce", "store", [1, 10, 11], 8],
  ["FireAll", "store", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], 0],
];
test.for(outages)("%s, with the %s down for ten minutes", async ([catchUp, during, want, missed]) => {
  const world = createScheduleWorld();
  world.put(scheduleObject({ ...everyMinute, catchUp }));
  await using _ = world.leader("a");
  await world.pass(MINUTE + 20_000);
  world.broken[during] = true;
  await world.pass(9 * MINUTE);
  delete world.broken[during];
  await world.pass(MINUTE);
  expect(world.dues()).toEqual(want);
  expect(world.records.get("uid-s")).toMatchObject({ missed: String(missed) });
  const told = world.notes.filter(({ reason }) => reason === "late").reduce((sum, { note }) => sum + Number(note), 0);
  expect(told).toBe(missed);
});

test("Forbid leaves out while the run before is unfinished, and goes on when it has ended", async () => {
  const world = createScheduleWorld();
  world.put(scheduleObject({ ...everyMinute, concurrencyPolicy: "Forbid" }));
  await using _ = world.leader("a");
  await world.pass(3 * MINUTE);
  expect(world.dues()).toEqual([1]);
  world.runs.set(ids(world)[0] ?? "", { state: "SUCCESS", over: true });
  await world.pass(MINUTE);
  expect(world.dues()).toEqual([1, 4]);
  expect(world.records.get("uid-s")).toMatchObject({ missed: "2", published: "2" });
});

test("Forbid forgets a run that said nothing for maxRunSeconds", async () => {
  const world = createScheduleWorld();
  world.put(scheduleObject({ ...everyMinute, concurrencyPolicy: "Forbid", maxRunSeconds: 150 }));
  await using _ = world.leader("a");
  await world.pass(4 * MINUTE);
  expect(world.dues()).toEqual([1, 4]);
});

test("Replace revokes the run before, unless it has ended", async () => {
  const world = createScheduleWorld();
  world.put(scheduleObject({ ...everyMinute, concurrencyPolicy: "Replace" }));
  await using _ = world.leader("a");
  await world.pass(2 * MINUTE);
  const [first = "", second = ""] = ids(world);
  world.runs.set(second, { state: "FAILURE", over: true });
  await world.pass(MINUTE);
  expect(world.dues()).toEqual([1, 2, 3]);
  expect(world.revoked).toEqual([first]);
});

test("what was due during a suspension is not made up for; a run-now is published even then, once per value", async () => {
  const world = createScheduleWorld();
  const suspended = { ...everyMinute, catchUp: "FireAll", suspend: true } as const;
  world.put(scheduleObject(suspended));
  await using _ = world.leader("a");
  await world.pass(3 * MINUTE);
  world.put(scheduleObject(suspended, { annotations: { "longshore.dev/run-now": "1" }, resourceVersion: "2" }));
  await world.pass(MINUTE);
  expect(world.published).toHaveLength(1);
  world.put(
    scheduleObject(
      { ...suspended, suspend: false },
      { annotations: { "longshore.dev/run-now": "1" }, generation: 2, resourceVersion: "3" },
    ),
  );
  await world.pass(2 * MINUTE);
  expect(world.dues().slice(1)).toEqual([5, 6]);
});

test("other times begin now: what they would have made due before is not made up for", async () => {
  const world = createScheduleWorld();
  world.put(scheduleObject({ cron: "0 3 * * *", catchUp: "FireAll" }));
  await using _ = world.leader("a");
  await world.pass(60 * MINUTE);
  world.put(scheduleObject({ cron: "30 * * * *", catchUp: "FireAll" }, { generation: 2, resourceVersion: "2" }));
  await world.pass(60 * MINUTE);
  expect(world.dues()).toEqual([90]);
});

test("a corrected spec is told at once, also when it is wrong in another way, and when nothing else comes of it", async () => {
  const world = createScheduleWorld();
  await using _ = world.leader("a");
  const change = async (generation: number, spec: Parameters<typeof scheduleObject>[0]) => {
    world.told.length = 0;
    world.put(scheduleObject(spec, { generation, resourceVersion: String(generation) }));
    await world.pass(10);
    return world.told.at(-1);
  };
  expect(await change(1, { cron: "0 25 * * *" })).toMatch(/^1 spec\.cron/);
  expect(await change(2, { cron: "0 23 * * *", timeZone: "Mars/Phobos" })).toMatch(/^2 spec\.timeZone/);
  expect(await change(3, { cron: "0 23 * * *" })).toBe("3 ok");
  expect(await change(4, { cron: "0 23 * * *", task: "other" })).toBe("4 ok");
});

const wrong: readonly [what: string, spec: Parameters<typeof scheduleObject>[0], message: RegExp][] = [
  ["a cron", { cron: "61 * * * *" }, /spec\.cron "61 \* \* \* \*" cannot be read.*61/],
  ["a time zone", { cron: "0 * * * *", timeZone: "Mars/Phobos" }, /spec\.timeZone Mars\/Phobos/],
  ["an interval", { every: "0s" }, /spec\.every is 0s; expected at least 1s/],
  ["a header", { ...everyMinute, headers: { id: "x" } }, /spec\.headers\.id is Celery's own/],
  ["a payload", { ...everyMinute, kwargs: { text: "x".repeat(300_000) } }, /spec\.args and kwargs are 3\d+ bytes/],
];
test.for(wrong)("%s that cannot be is told with its field", async ([, spec, message]) => {
  const world = createScheduleWorld();
  world.put(scheduleObject(spec));
  await using leader = world.leader("a");
  await world.pass(2 * MINUTE);
  expect([...leader.entries()][0]?.trouble).toMatchObject({ reason: "InvalidSpec", message: expect.stringMatching(message) as string });
  world.put(scheduleObject(everyMinute, { generation: 2, resourceVersion: "2" }));
  await world.pass(2 * MINUTE);
  expect(world.dues()).toEqual([2, 3, 4]);
  expect([...leader.entries()][0]?.trouble).toBeUndefined();
});
