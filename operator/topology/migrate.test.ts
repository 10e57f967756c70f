import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { shop } from "../../test/fakes/topology-model.ts";
import { createTopologyWorld, type TopologyWorld } from "../../test/fakes/topology-world.ts";
import { BrokerError, type BrokerObject } from "../adapters/ports.ts";
import { holdingName } from "./migrate.ts";

const HOLDING = "longshore.migrating.orders";
const binding = (destination: string, routingKey: string): BrokerObject => ({
  type: "binding",
  source: "shop",
  destinationType: "queue",
  destination,
  routingKey,
  arguments: {},
});
const bindings = [{ exchange: "shop", routingKey: "order.*" }];

/** A queue that is Ready, with 5,000 messages, a binding of its own and a foreign one. */
async function begin(): Promise<TopologyWorld> {
  const world = await createTopologyWorld();
  world.vhost.put(shop);
  await world.queue("orders", { maxLength: 10, bindings });
  await world.start();
  world.vhost.put(binding("orders", "foreign"));
  world.vhost.messages.set("orders", 5_000);
  return world;
}
const changed = (world: TopologyWorld, updatePolicy: string) => world.queue("orders", { maxLength: 20, updatePolicy, bindings });
const done = (world: TopologyWorld) => {
  const { objects, messages } = world.vhost;
  expect(objects.get("queue/orders")).toMatchObject({ arguments: { "x-max-length": 20 } });
  expect(messages.get("orders")).toBe(5_000);
  expect([...objects.values()].filter((object) => "destination" in object && object.destination === "orders")).toHaveLength(2);
  expect([...objects.keys()].filter((key) => key.includes(HOLDING))).toEqual([]);
};

test("by default a changed argument is told, and the queue is left alone", async () => {
  await using world = await begin();
  await changed(world, "Refuse");
  await world.clock.advance(5_000);
  expect(await world.ready("Queue", "orders")).toMatchObject({ reason: "ArgumentsDiffer" });
  expect(world.vhost.objects.get("queue/orders")).toMatchObject({ arguments: { "x-max-length": 10 } });
});

test("with Migrate it is made anew: messages and foreign bindings stay, and no repair is counted", async () => {
  await using world = await begin();
  await changed(world, "Migrate");
  await world.clock.advance(5_000);
  done(world);
  expect(await world.ready("Queue", "orders")).toMatchObject({ status: "True" });
  expect(world.events()).toEqual([]);
  const calls = world.vhost.calls.filter((call) => /^(declare|remove|move)/.test(call)).slice(2);
  expect(calls[0]).toBe(`declare queue/${HOLDING}`);
  expect(calls.filter((call) => call.startsWith("move"))).toHaveLength(6);
});

test("messages that a consumer has not acked are waited for, and the condition says so", async () => {
  await using world = await begin();
  world.vhost.unmovable.add("orders");
  await changed(world, "Migrate");
  await world.clock.advance(3_000);
  const ready = await world.ready("Queue", "orders");
  expect(ready).toMatchObject({ status: "False", reason: "Migrating" });
  expect(ready?.message).toContain("5000 to go; consumers have not acked them yet");
  expect(world.vhost.objects.has("queue/orders")).toBe(true);
  world.vhost.unmovable.clear();
  await world.clock.advance(5_000);
  done(world);
});

describe("whatever happens in between", () => {
  const call = fc.constantFrom(
    `declare queue/${HOLDING}`,
    "declare binding",
    "remove binding",
    "move",
    "remove queue",
    "declare queue/orders",
    "messages",
  );
  test("no message is lost, and it ends", { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 6 }), fc.array(fc.nat(40), { maxLength: 6 }), async (failures, crashes) => {
        await using world = await begin();
        for (const one of failures) world.vhost.failNext(one, new BrokerError("unreachable", "management", "away"));
        await changed(world, "Migrate");
        for (const ms of crashes) {
          await world.clock.advance(ms);
          await world.crash();
          const all = (world.vhost.messages.get("orders") ?? 0) + (world.vhost.messages.get(HOLDING) ?? 0);
          expect(all).toBe(5_000);
          await world.start();
        }
        await world.clock.advance(60_000);
        done(world);
      }),
      { numRuns: 100 },
    );
  });

  test("a spec that is taken back ends with the queue as it was", async () => {
    await using world = await begin();
    world.vhost.unmovable.add("orders");
    await changed(world, "Migrate");
    await world.clock.advance(2_000);
    world.vhost.unmovable.clear();
    await world.queue("orders", { maxLength: 10, updatePolicy: "Refuse", bindings });
    await world.clock.advance(5_000);
    expect(world.vhost.objects.has(`queue/${HOLDING}`)).toBe(false);
    expect(world.vhost.objects.get("queue/orders")).toMatchObject({ arguments: { "x-max-length": 10 } });
    expect(await world.ready("Queue", "orders")).toMatchObject({ status: "True" });
  });
});

test("a name that would be too long for the broker becomes a digest", () => {
  expect(holdingName("orders")).toBe(HOLDING);
  expect(holdingName("ü".repeat(127))).toMatch(/^longshore\.migrating\.[0-9a-f]{16}$/);
});

test.for(["Retain", "DeleteIfEmpty"])(
  "deleted in the middle, a queue with %s has all its messages in itself again before anything else",
  async (deletionPolicy) => {
    await using world = await begin();
    world.vhost.unmovable.add("orders");
    await world.queue("orders", { maxLength: 20, updatePolicy: "Migrate", bindings, deletionPolicy });
    await world.clock.advance(3_000);
    expect(world.vhost.objects.has(`queue/${HOLDING}`)).toBe(true);
    await world.remove("Queue", "orders");
    world.vhost.unmovable.clear();
    await world.clock.advance(10_000);
    expect(world.vhost.objects.has(`queue/${HOLDING}`)).toBe(false);
    expect(world.vhost.objects.get("queue/orders")).toMatchObject({ arguments: { "x-max-length": 20 } });
    expect(world.vhost.messages.get("orders")).toBe(5_000);
    const left = await world.get("Queue", "orders");
    expect(left === undefined).toBe(deletionPolicy === "Retain");
  },
);
