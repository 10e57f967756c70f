import { expect, test } from "vitest";
import { createScheduleWorld, type ScheduleWorld, scheduleObject } from "../../test/fakes/schedule-world.ts";

const MINUTE = 60_000;
type Spec = Parameters<typeof scheduleObject>[0];

/** So many alike, each with a name and uid of its own. */
function putMany(world: ScheduleWorld, count: number, spec: Spec): void {
  for (let index = 0; index < count; index += 1) world.put(scheduleObject(spec, { name: `s-${index}`, uid: `uid-${index}` }));
}
const times = (world: ScheduleWorld): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const { correlationId } of world.published) counts.set(correlationId, (counts.get(correlationId) ?? 0) + 1);
  return counts;
};

test("thousands that are due at once, a slow store and two leaders: claims are few at a time, so that none ends before its message is out", async () => {
  const world = createScheduleWorld();
  putMany(world, 4_000, { every: "1h" });
  await using _ = world.leader("a");
  await using __ = world.leader("b");
  await world.pass(60 * MINUTE - 1);
  world.slow.storeMs = 0.5;
  await world.pass(MINUTE);
  expect(times(world).size).toBe(4_000);
  expect(world.published).toHaveLength(4_000);
  expect(world.claims.late).toBe(0);
  // Until it was settled, which is after its message was out: three quarters of what a claim lasts.
  expect(world.claims.longestMs).toBeLessThan(2_250);
});

test("much to make up for, a slow broker and two leaders: so few messages at a time that their claims hold", async () => {
  const world = createScheduleWorld();
  putMany(world, 100, { every: "1s", catchUp: "FireAll" });
  await using _ = world.leader("a");
  await using __ = world.leader("b");
  await world.pass(500);
  world.broken.broker = true;
  await world.pass(60_000);
  delete world.broken.broker;
  world.slow.publishMs = 2;
  await world.pass(MINUTE);
  const counts = times(world);
  expect([...counts.values()].filter((count) => count > 1)).toEqual([]);
  expect(counts.size).toBeGreaterThan(100 * 60);
  expect(world.claims).toMatchObject({ late: 0 });
  expect(world.claims.longestMs).toBeLessThan(3_000);
});

test("what had no broker to go to is published as soon as somebody says that there is one", async () => {
  const world = createScheduleWorld();
  world.put(scheduleObject({ at: ["2026-01-01T00:01:00Z"] }));
  await world.pass(MINUTE);
  world.broken.secrets = true;
  await using leader = world.leader("a");
  await world.pass(10);
  expect(world.dues()).toEqual([]);
  delete world.broken.secrets;
  leader.lookAgain();
  await world.pass(0);
  expect(world.dues()).toEqual([1]);
});
