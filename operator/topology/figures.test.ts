import { afterEach, beforeEach, expect, test } from "vitest";
import { createTopologyWorld, type TopologyWorld } from "../../test/fakes/topology-world.ts";
import { BrokerError } from "../adapters/ports.ts";

let world: TopologyWorld;
beforeEach(async () => {
  world = await createTopologyWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

const writes = () => world.kube.calls.filter(({ verb }) => verb === "apply" || verb === "patch").length;
const status = async (name: string) => (await world.get("Queue", name))?.status;

test("a Queue says how many messages it has: written when that differs, and never at rest", async () => {
  await world.queue("orders");
  await world.exchange("shop");
  await world.start();
  await world.clock.advance(8_000);
  expect(await status("orders")).toMatchObject({ messages: 0, messagesReady: 0, messagesUnacked: 0 });
  expect(await world.get("Exchange", "shop")).not.toHaveProperty("status.messages");
  world.vhost.messages.set("orders", 5);
  await world.clock.advance(35_000);
  expect(await status("orders")).toMatchObject({ messages: 5, messagesReady: 5 });
  expect(await world.ready("Queue", "orders")).toMatchObject({ status: "True" });
  const before = writes();
  await world.clock.advance(120_000);
  expect(writes()).toBe(before);
});

test("of more than a hundred queues only those are written about that hold something, or did", async () => {
  for (let n = 0; n <= 100; n++) await world.queue(`q-${n}`);
  await world.start();
  const before = writes();
  world.vhost.messages.set("q-7", 5);
  await world.clock.advance(60_000);
  expect(await status("q-7")).toMatchObject({ messages: 5 });
  expect(await status("q-8")).not.toHaveProperty("messages");
  // The Broker's count of objects is the other one.
  expect(writes() - before).toBeLessThanOrEqual(2);
  world.vhost.messages.set("q-7", 0);
  await world.clock.advance(60_000);
  expect(await status("q-7")).toMatchObject({ messages: 0 });
});

test("counts stay over a restart, and while the broker does not tell them", async () => {
  await world.queue("orders");
  world.vhost.messages.set("orders", 5);
  await world.start();
  await world.clock.advance(8_000);
  await world.crash();
  const before = writes();
  world.vhost.failNext("figures", new BrokerError("forbidden", "management", "not yours"));
  await world.start();
  await world.clock.advance(60_000);
  expect(writes()).toBe(before);
  expect(await status("orders")).toMatchObject({ messages: 5 });
});

test("a restart over what is in sync writes nothing: neither to the queues that are counted nor to the Broker, which counts them", async () => {
  await world.queue("orders", { bindings: [{ exchange: "shop" }] });
  await world.exchange("shop");
  await world.queue("lost", { bindings: [{ exchange: "nowhere" }] });
  world.vhost.messages.set("orders", 5);
  await world.start();
  world.vhost.take("queue/orders");
  await world.clock.advance(45_000);
  expect(await status("orders")).toMatchObject({ messages: 5, repairs: 1 });
  expect((await world.broker())?.status).toMatchObject({ objects: { ready: 2, notReady: 1 } });
  await world.crash();
  const before = writes();
  await world.start();
  await world.clock.advance(60_000);
  expect(writes()).toBe(before);
  expect(world.vhost.calls.filter((call) => call === "figures").length).toBeGreaterThan(2);
});

test("a changed spec is not called Ready by a count", async () => {
  await world.queue("orders", { maxLength: 5 });
  await world.start();
  await world.clock.advance(8_000);
  world.vhost.messages.set("orders", 7);
  await world.queue("orders", { maxLength: 6 });
  await world.clock.advance(40_000);
  expect(await world.ready("Queue", "orders")).toMatchObject({ status: "False", reason: "ArgumentsDiffer" });
  expect(await status("orders")).toMatchObject({ messages: 7 });
});

test("a Broker says how many of its objects are ready, and what its cluster is", async () => {
  await world.queue("orders");
  await world.queue("late", { bindings: [{ exchange: "nowhere" }] });
  await world.start();
  await world.clock.advance(8_000);
  expect((await world.broker())?.status).toMatchObject({
    objects: { ready: 1, notReady: 1 },
    nodes: [{ name: "rabbit@one", running: true }],
    deprecatedFeatures: [],
    clusterId: "one",
  });
  await world.exchange("nowhere");
  await world.clock.advance(8_000);
  expect((await world.broker())?.status).toMatchObject({ objects: { ready: 3, notReady: 0 } });
});
