import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bindingsOf, createTopologyWorld, type TopologyWorld } from "../../test/fakes/topology-world.ts";
import { BrokerError } from "../adapters/ports.ts";

const away = () => new BrokerError("unreachable", "management", "connection refused");
const writes = (world: TopologyWorld) => world.kube.calls.filter(({ verb }) => verb === "apply" || verb === "patch").length;

let world: TopologyWorld;
beforeEach(async () => {
  world = await createTopologyWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

test("a queue with its exchange and binding: three declarations, one status write each, then silence", async () => {
  await world.queue("orders", { bindings: [{ exchange: "shop", routingKey: "k" }] });
  await world.exchange("shop");
  await world.start();
  expect(await world.ready("Queue", "orders")).toMatchObject({
    status: "True",
    reason: "Declared",
    message: "queue orders and 1 binding, read back from rabbit:5672/",
  });
  expect(await world.ready("Exchange", "shop")).toMatchObject({ status: "True" });
  expect(bindingsOf(world.vhost, "orders")).toEqual(["shop k"]);
  expect(world.kube.calls.filter(({ verb, subresource }) => verb === "apply" && subresource === "status")).toHaveLength(3);
  // The first counts come with it: of the Broker's objects, and of the queue's messages.
  await world.clock.advance(8_000);
  const [calls, written] = [world.vhost.calls.length, writes(world)];
  await world.clock.advance(10_000);
  expect([world.vhost.calls.length, writes(world)]).toEqual([calls, written]);
});

test("a restart over what is in sync writes nothing and declares nothing", async () => {
  await world.queue("orders", { bindings: [{ exchange: "shop", routingKey: "k" }] });
  await world.exchange("shop");
  await world.start();
  await world.clock.advance(8_000);
  await world.crash();
  const before = writes(world);
  world.vhost.calls.length = 0;
  await world.start();
  await world.clock.advance(1_000);
  expect(writes(world)).toBe(before);
  expect(world.vhost.calls).toEqual(["probe", "changes", "observe"]);
});

test("Ready is said only after the read-back", async () => {
  await world.start();
  world.vhost.failNext("read queue/ghost", away());
  await world.queue("ghost");
  await world.clock.advance(6);
  expect((await world.ready("Queue", "ghost"))?.status).not.toBe("True");
  await world.clock.advance(3_000);
  expect(await world.ready("Queue", "ghost")).toMatchObject({ status: "True" });
});

test("a binding that is to go goes, even when the operator dies after it has written down the new ones", async () => {
  await world.exchange("shop");
  await world.queue("orders", { bindings: [{ exchange: "shop", routingKey: "old" }] });
  await world.start();
  for (let tries = 0; tries < 5; tries++) world.vhost.failNext("remove binding", away());
  await world.queue("orders", { bindings: [{ exchange: "shop", routingKey: "new" }] });
  await world.clock.advance(10);
  expect(bindingsOf(world.vhost, "orders")).toEqual(["shop new", "shop old"]);
  await world.crash();
  await world.start();
  await world.clock.advance(10_000);
  expect(bindingsOf(world.vhost, "orders")).toEqual(["shop new"]);
});

describe("drift", () => {
  test.for([
    ["with events", true, 20],
    ["by polling", false, 12_100],
  ] as const)("%s what was taken is back", async ([, events, ms]) => {
    world = await createTopologyWorld({ events });
    await world.queue("orders");
    await world.start();
    await world.clock.advance(100);
    world.vhost.take("queue/orders");
    await world.clock.advance(ms);
    expect(world.vhost.objects.has("queue/orders")).toBe(true);
    expect(world.events()).toEqual(["DriftRepaired"]);
  });
  test("a changed spec is no drift", async () => {
    world.vhost.put({ type: "exchange", name: "x", kind: "direct", durable: true, autoDelete: false, internal: false, arguments: {} });
    await world.queue("orders");
    await world.start();
    await world.queue("orders", { bindings: [{ exchange: "x" }] });
    await world.clock.advance(100);
    expect(bindingsOf(world.vhost, "orders")).toEqual(["x "]);
    expect(world.events()).toEqual([]);
  });
});

test("an event about a missing exchange waits for a while, for objects are applied in any order", async () => {
  await world.start();
  await world.queue("orders", { bindings: [{ exchange: "shop" }] });
  await world.clock.advance(1_000);
  expect(await world.ready("Queue", "orders")).toMatchObject({ status: "False", reason: "ExchangeMissing" });
  expect(world.events()).toEqual([]);
  await world.clock.advance(3_000);
  expect(world.events()).toEqual(["ExchangeMissing"]);
  await world.exchange("shop");
  await world.clock.advance(50);
  expect(await world.ready("Queue", "orders")).toMatchObject({ status: "True" });
});

test("a refusal by the broker concerns its object only, and is tried again", async () => {
  await world.start();
  world.vhost.failNext("declare queue/bad", new BrokerError("forbidden", "management", "access to queue bad refused"));
  await world.queue("bad");
  await world.queue("good");
  await world.clock.advance(50);
  expect(await world.ready("Queue", "bad")).toMatchObject({
    reason: "NotPermitted",
    message: expect.stringContaining("access to queue bad"),
  });
  expect(await world.ready("Queue", "good")).toMatchObject({ status: "True" });
  await world.clock.advance(2_500);
  expect(await world.ready("Queue", "bad")).toMatchObject({ status: "True" });
});

describe("a broker that is away", () => {
  beforeEach(async () => {
    await world.queue("old");
    await world.start();
    await world.clock.advance(1_000);
    world.vhost.failure = away();
  });
  test("what was Ready is believed for a blip, and unknown after it; what is new is unknown at once", async () => {
    await world.queue("new");
    await world.clock.advance(500);
    expect(await world.ready("Queue", "new")).toMatchObject({ status: "Unknown", reason: "BrokerNotReady" });
    expect(await world.ready("Queue", "old")).toMatchObject({ status: "True" });
    await world.clock.advance(6_000);
    expect(await world.ready("Queue", "old")).toMatchObject({ status: "Unknown", reason: "BrokerNotReady" });
    world.vhost.failure = undefined;
    await world.clock.advance(2_100);
    for (const name of ["old", "new"]) expect(await world.ready("Queue", name)).toMatchObject({ status: "True" });
  });
  test("an object that goes waits for it, and is cleaned up when it is back", async () => {
    await world.remove("Queue", "old");
    await world.clock.advance(600_000);
    expect(await world.get("Queue", "old")).toBeDefined();
    world.vhost.failure = undefined;
    await world.clock.advance(2_200);
    expect(await world.get("Queue", "old")).toBeUndefined();
    expect(world.vhost.objects.size).toBe(0);
  });
  test("what was taken meanwhile is back with it, and is no poll later", async () => {
    world.vhost.wipe();
    await world.clock.advance(1_000);
    world.vhost.failure = undefined;
    await world.clock.advance(2_100);
    expect(world.vhost.objects.has("queue/old")).toBe(true);
  });
  test("without Secret and Broker nobody waits", async () => {
    for (const kind of ["Secret", "Broker"] as const) await world.remove(kind, "rabbitmq");
    await world.remove("Queue", "old");
    await world.clock.advance(10_000);
    expect(await world.get("Queue", "old")).toBeUndefined();
    expect(await world.broker()).toBeUndefined();
    expect(world.events()).toContain("Orphaned");
  });
});

test("many at once are imported, and each that the import refuses is tried by itself", async () => {
  for (let n = 0; n < 120; n++) await world.queue(`q${n}`);
  world.vhost.failNext("bulk", new BrokerError("invalid", "management", "one of them"));
  await world.start();
  expect(world.vhost.calls).toContain("bulk 20");
  await world.clock.advance(100);
  expect(world.vhost.objects.size).toBe(120);
  expect(await world.ready("Queue", "q119")).toMatchObject({ status: "True" });
});

test("two Brokers that lead to one vhost by different host names are rivals: the oldest object has it, and neither flaps", async () => {
  const alias = "alias";
  await world.brokerAlias(alias, "amqp://u:p@other-name");
  await world.put("Policy", "first", { name: "shared", pattern: "^a", definition: { "max-length": 1 } });
  await world.clock.advance(2_000);
  await world.put("Policy", "second", { brokerRef: { name: alias }, name: "shared", pattern: "^b", definition: { "max-length": 2 } });
  await world.start();
  await world.clock.advance(10_000);
  expect(world.vhost.objects.get("policy/shared")).toMatchObject({ properties: { pattern: "^a" } });
  expect(await world.ready("Policy", "second")).toMatchObject({ status: "False", reason: "Conflict" });
  const declared = () => world.vhost.calls.filter((call) => call === "declare policy/shared").length;
  const before = declared();
  await world.crash();
  await world.start();
  await world.clock.advance(60_000);
  expect(declared()).toBe(before);
  await world.remove("Policy", "first");
  await world.clock.advance(10_000);
  expect(world.vhost.objects.get("policy/shared")).toMatchObject({ properties: { pattern: "^b" } });
  expect(await world.ready("Policy", "second")).toMatchObject({ status: "True" });
});
