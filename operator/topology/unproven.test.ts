import { describe, expect, test } from "vitest";
import { createTopologyWorld, type TopologyWorld } from "../../test/fakes/topology-world.ts";
import { classicQueue } from "../../test/integration/topology-objects.ts";
import type { BrokerObject } from "../adapters/ports.ts";
import { FINALIZER } from "../runtime/finalizer.ts";

/** A queue that somebody else makes, with a limit that no object of the tests asks for. */
const theirs = (name: string): BrokerObject => classicQueue(name, { "x-max-length": 5 });

/** So many that they are imported, which never says what was there already; `meanwhile` runs before the import does anything. */
async function importing(world: TopologyWorld, meanwhile: () => Promise<void>): Promise<void> {
  for (let n = 0; n < 60; n++) await world.queue(`q-${n}`, { maxLength: 6 });
  const { promise, resolve } = Promise.withResolvers<void>();
  world.vhost.hold = promise;
  await world.start();
  expect(world.vhost.calls.at(-1)).toBe("bulk 60");
  await meanwhile();
  resolve();
  await world.clock.advance(2_000);
}

describe.for([false, true])("protected as they are created: %s", (protection) => {
  test("an object that meets what somebody else made before anybody saw it owns nothing: deleting it deletes nothing", async () => {
    await using world = await createTopologyWorld({ events: false, protection });
    await world.start();
    await world.clock.advance(2_000);
    world.vhost.put(theirs("q"));
    await world.queue("q", { maxLength: 6 });
    await world.clock.advance(1_000);
    expect(await world.ready("Queue", "q")).toMatchObject({ reason: "ArgumentsDiffer" });
    expect((await world.get("Queue", "q"))?.metadata.finalizers ?? []).not.toContain(FINALIZER);
    await world.remove("Queue", "q");
    await world.clock.advance(1_000);
    expect(await world.get("Queue", "q")).toBeUndefined();
    expect(world.vhost.objects.get("queue/q")).toEqual(theirs("q"));
  });

  test("the same among many that are imported", async () => {
    await using world = await createTopologyWorld({ events: false, protection });
    await importing(world, async () => world.vhost.put(theirs("q-7")));
    expect(await world.ready("Queue", "q-7")).toMatchObject({ reason: "ArgumentsDiffer" });
    await world.remove("Queue", "q-7");
    await world.remove("Queue", "q-8");
    await world.clock.advance(1_000);
    expect(await world.get("Queue", "q-7")).toBeUndefined();
    expect(world.vhost.objects.get("queue/q-7")).toEqual(theirs("q-7"));
    expect(world.vhost.objects.has("queue/q-8")).toBe(false);
  });

  test("also when it is deleted before anybody has looked", async () => {
    await using world = await createTopologyWorld({ events: false, protection });
    await importing(world, async () => {
      world.vhost.put(theirs("q-7"));
      await world.remove("Queue", "q-7");
      expect(await world.get("Queue", "q-7")).toHaveProperty("metadata.deletionTimestamp");
    });
    expect(await world.get("Queue", "q-7")).toBeUndefined();
    expect(world.vhost.objects.get("queue/q-7")).toEqual(theirs("q-7"));
  });

  test("what is imported while its object is deleted goes with it", async () => {
    await using world = await createTopologyWorld({ events: false, protection });
    await importing(world, () => world.remove("Queue", "q-7"));
    expect(await world.get("Queue", "q-7")).toBeUndefined();
    expect([world.vhost.objects.has("queue/q-7"), world.vhost.objects.has("queue/q-8")]).toEqual([false, true]);
  });

  test("what it declared itself is its own, also when its arguments are changed afterwards", async () => {
    await using world = await createTopologyWorld({ events: false, protection });
    await world.queue("q", { maxLength: 6 });
    await world.start();
    await world.clock.advance(1_000);
    await world.queue("q", { maxLength: 7 });
    await world.clock.advance(1_000);
    expect(await world.ready("Queue", "q")).toMatchObject({ reason: "ArgumentsDiffer" });
    await world.remove("Queue", "q");
    await world.clock.advance(1_000);
    expect(await world.get("Queue", "q")).toBeUndefined();
    expect(world.vhost.objects.has("queue/q")).toBe(false);
  });
});
