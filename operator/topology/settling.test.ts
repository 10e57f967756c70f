import { expect, test } from "vitest";
import { shop } from "../../test/fakes/topology-model.ts";
import { createTopologyWorld, type TopologyWorld } from "../../test/fakes/topology-world.ts";

const HOLDING = "longshore.migrating.orders";

/** A quorum queue, empty and Ready. */
async function begin(): Promise<TopologyWorld> {
  const world = await createTopologyWorld();
  world.vhost.put(shop);
  await limit(world, 10);
  await world.start();
  return world;
}
const limit = (world: TopologyWorld, maxLength: number, spec = {}) =>
  world.queue("orders", { type: "quorum", maxLength, updatePolicy: "Migrate", ...spec });
const removed = ({ vhost }: TopologyWorld, name: string) => vhost.calls.filter((call) => call === `remove queue/${name}`).length;

test("a quorum queue goes only when it was empty for six seconds, and so does the one that holds its messages", async () => {
  await using world = await begin();
  await limit(world, 20);
  await world.clock.advance(5_500);
  expect(removed(world, "orders")).toBe(0);
  await world.clock.advance(2_000);
  expect([removed(world, "orders"), removed(world, HOLDING)]).toEqual([1, 0]);
  await world.clock.advance(4_000);
  expect(removed(world, HOLDING)).toBe(0);
  await world.clock.advance(3_000);
  expect(removed(world, HOLDING)).toBe(1);
});

test("a second migration over the same connection waits as long as the first", async () => {
  await using world = await begin();
  await limit(world, 20);
  await world.clock.advance(30_000);
  expect([removed(world, "orders"), removed(world, HOLDING)]).toEqual([1, 1]);
  await limit(world, 30);
  await world.clock.advance(5_500);
  expect(removed(world, "orders")).toBe(1);
  await world.clock.advance(2_000);
  expect([removed(world, "orders"), removed(world, HOLDING)]).toEqual([2, 1]);
  await world.clock.advance(4_000);
  expect(removed(world, HOLDING)).toBe(1);
  await world.clock.advance(3_000);
  expect(removed(world, HOLDING)).toBe(2);
});

test("messages that came meanwhile begin the time anew", async () => {
  await using world = await begin();
  await limit(world, 20);
  await world.clock.advance(3_500);
  world.vhost.messages.set("orders", 7);
  await world.clock.advance(5_500);
  expect([world.vhost.messages.get(HOLDING), removed(world, "orders")]).toEqual([7, 0]);
  await world.clock.advance(2_500);
  expect(removed(world, "orders")).toBe(1);
});

test("what nobody looked at while it was paused is not believed to have been empty all the time", async () => {
  await using world = await begin();
  await limit(world, 20);
  await world.clock.advance(3_500);
  const pause = (paused: string) =>
    world.put("Queue", "orders", { type: "quorum", maxLength: 20, updatePolicy: "Migrate" }, { "longshore.dev/paused": paused });
  await pause("true");
  await world.clock.advance(60_000);
  expect(removed(world, "orders")).toBe(0);
  await pause("false");
  await world.clock.advance(5_500);
  expect(removed(world, "orders")).toBe(0);
  await world.clock.advance(2_000);
  expect(removed(world, "orders")).toBe(1);
});

test("an object that is deleted meanwhile goes on with the time that has passed", async () => {
  await using world = await begin();
  await limit(world, 20, { deletionPolicy: "Retain" });
  await world.clock.advance(12_000);
  expect([removed(world, "orders"), removed(world, HOLDING)]).toEqual([1, 0]);
  await world.remove("Queue", "orders");
  await world.clock.advance(2_000);
  expect(removed(world, HOLDING)).toBe(1);
  expect(await world.get("Queue", "orders")).toBeUndefined();
});
