import { afterAll, beforeAll, expect, test } from "vitest";
import type { Arguments, BrokerObject } from "../../operator/adapters/ports.ts";
import type { Broker } from "../../operator/kinds/broker/schema.ts";
import { broker } from "../cluster/cluster.ts";
import { classicQueue } from "./topology-objects.ts";
import { createWorld, type World } from "./topology-world.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld(await broker(), `topology-${process.pid}`);
});
afterAll(() => world?.[Symbol.asyncDispose]());

const binding = (destination: string, routingKey: string, args: Arguments = {}): BrokerObject => ({
  type: "binding",
  source: "media",
  destinationType: "queue",
  destination,
  routingKey,
  arguments: args,
});
const read = (name: string) => world.hand.read({ type: "queue", name });
const bindingsOf = async (name: string) => (await read(name)).filter(({ type }) => type === "binding");

test("applied in the worst order, queue first and Secret last, everything becomes Ready and is on the broker", async () => {
  const { make, apply, until } = world;
  const video = make.queue("video-queue", { name: "video_queue", type: "quorum", bindings: [{ exchange: "media", routingKey: "video" }] });
  const media = make.exchange("media", { type: "direct" });
  await apply(video);
  expect((await until(video, "BrokerMissing")).message).toContain("Broker rabbitmq does not exist");
  await apply(media, make.broker());
  expect((await until(make.broker(), "SecretMissing")).message).toContain("Secret default/rabbitmq does not exist");
  await apply(make.secret(world.uri, world.broker.managementUri));
  const started = performance.now();
  await Promise.all([until(make.broker(), "Ready"), until(media, "Declared"), until(video, "Declared")]);
  expect(performance.now() - started).toBeLessThan(6_000);
  expect(await read("video_queue")).toEqual([
    expect.objectContaining({ name: "video_queue", kind: "quorum", durable: true }),
    binding("video_queue", "video"),
  ]);
  const seen = await world.get<Broker>(make.broker());
  expect(seen?.status).toMatchObject({ version: expect.stringMatching(/^4\.0/), capabilities: expect.arrayContaining(["bulk", "events"]) });
  expect(JSON.stringify(seen)).not.toContain(world.broker.password);
  for (const object of [video, media]) {
    expect((await world.eventsOf(object)).filter(({ type }) => type === "Warning").length).toBeLessThanOrEqual(1);
  }
});

test("a queue and a binding that are deleted by hand are back at once, told by an event", async () => {
  const { make, apply, until, hand } = world;
  const drift = make.queue("drift", { type: "classic", bindings: [{ exchange: "media", routingKey: "drift" }] });
  await apply(drift);
  await until(drift, "Declared");
  await hand.remove(classicQueue("drift"));
  const started = performance.now();
  await expect.poll(async () => (await read("drift")).length, { interval: 10, timeout: 30_000 }).toBe(2);
  expect(performance.now() - started).toBeLessThan(1_000);
  await hand.remove(binding("drift", "drift"));
  await expect.poll(async () => (await read("drift")).length, { interval: 10, timeout: 30_000 }).toBe(2);
  await expect.poll(async () => (await world.eventsOf(drift)).map(({ reason }) => reason), { timeout: 30_000 }).toContain("DriftRepaired");
});

test("a binding taken out of the spec goes, even while the operator was away; a foreign one stays", async () => {
  const { make, apply, until, hand } = world;
  const before = make.queue("edit", {
    type: "classic",
    bindings: [
      { exchange: "media", routingKey: "a" },
      { exchange: "media", routingKey: "b" },
    ],
  });
  await apply(before);
  await until(before, "Declared");
  await hand.declare(binding("edit", "foreign"));
  await world.stopOperator();
  const after = make.queue("edit", {
    type: "classic",
    bindings: [{ exchange: "media", routingKey: "b", arguments: { n: 12_345, on: true } }],
  });
  await apply(after);
  await world.restartOperator();
  await until(after, "Declared");
  const left = await bindingsOf("edit");
  expect(left).toHaveLength(2);
  expect(left).toEqual(expect.arrayContaining([binding("edit", "b", { n: 12_345, on: true }), binding("edit", "foreign")]));
});

test("of two objects for one queue the oldest wins; the other says who, and takes over when it goes", async () => {
  const { make, apply, until, remove, gone } = world;
  const [first, second] = [
    make.queue("first", { name: "shared", type: "classic" }),
    make.queue("second", { name: "shared", type: "classic", maxLength: 5 }),
  ];
  await apply(first);
  await until(first, "Declared");
  // Creation times have a resolution of one second, and within it names decide: first comes before second.
  await apply(second);
  expect((await until(second, "Conflict")).message).toContain("Queue default/first");
  await remove(second);
  await gone(second);
  expect(await read("shared")).toHaveLength(1);
});

test("what exists with other arguments is told field by field and left alone, also when the object is deleted", async () => {
  const { make, apply, until, remove, gone, hand } = world;
  const theirs = { ...classicQueue("theirs"), arguments: { "x-queue-type": "classic", "x-max-length": 5 } };
  await hand.declare(theirs);
  const claimed = make.queue("theirs", { type: "classic", maxLength: 6 });
  await apply(claimed);
  expect((await until(claimed, "ArgumentsDiffer")).message).toContain("x-max-length: the broker has 5, the spec says 6");
  await remove(claimed);
  await gone(claimed);
  expect(await read("theirs")).toEqual([theirs]);
});

test("a changed argument of an exchange, which the broker would ignore silently, is no false Ready", async () => {
  const { make, apply, until } = world;
  const hash = (header: string) => make.exchange("hash", { type: "x-consistent-hash", arguments: { "hash-header": header } });
  await apply(hash("a"));
  await until(hash("a"), "Declared");
  await apply(hash("b"));
  expect((await until(hash("b"), "ArgumentsDiffer")).message).toContain('hash-header: the broker has "a", the spec says "b"');
});

test("deletion: Retain leaves the queue, DeleteIfEmpty waits until it is empty, Delete removes it", async () => {
  const { make, apply, until, remove, gone, hand } = world;
  const [kept, filled, dropped] = [
    make.queue("kept", { deletionPolicy: "Retain" }),
    make.queue("filled", { deletionPolicy: "DeleteIfEmpty", bindings: [{ exchange: "media", routingKey: "filled" }] }),
    make.queue("dropped", { deletionPolicy: "Delete" }),
  ];
  await apply(kept, filled, dropped);
  for (const object of [kept, filled, dropped]) await until(object, "Declared");
  await publish("filled", 5);
  await remove(kept, filled, dropped);
  await Promise.all([gone(kept), gone(dropped)]);
  expect(await read("kept")).toHaveLength(1);
  expect(await read("dropped")).toEqual([]);
  expect((await until(filled, "QueueNotEmpty")).message).toContain("5 messages");
  expect(await read("filled")).toHaveLength(2);
  await world.broker.ctl("purge_queue", "-p", `topology-${process.pid}`, "filled");
  await gone(filled, 7_000);
  expect(await read("filled")).toEqual([]);
  await hand.remove(classicQueue("kept"));
});

async function publish(queue: string, count: number): Promise<void> {
  const { managementUri, username, password } = world.broker;
  for (let n = 0; n < count; n++) {
    const answer = await fetch(`${managementUri}/api/exchanges/topology-${process.pid}/amq.default/publish`, {
      method: "POST",
      headers: { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` },
      body: JSON.stringify({ properties: { delivery_mode: 2 }, routing_key: queue, payload: "x", payload_encoding: "string" }),
    });
    expect(await answer.json()).toEqual({ routed: true });
  }
}
