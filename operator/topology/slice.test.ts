import { expect, test } from "vitest";
import { createTopologyWorld, type TopologyWorld } from "../../test/fakes/topology-world.ts";
import type { TopologyObject } from "../kinds/topology-kind.ts";
import { hasFinalizer } from "../runtime/finalizer.ts";

/** Of three slices. */
const MANY = 600;

async function manyQueues(world: TopologyWorld): Promise<void> {
  for (let n = 0; n < MANY; n++) await world.queue(`old-${n}`);
}
async function theQueue(world: TopologyWorld, n: number): Promise<TopologyObject> {
  const found = await world.get("Queue", `old-${n}`);
  if (found === undefined) throw new Error(`no queue old-${n}`);
  return found;
}
const imported = ({ vhost }: TopologyWorld): readonly number[] =>
  vhost.calls.flatMap((call) => (call.startsWith("bulk ") ? [Number(call.slice("bulk ".length))] : []));

test("thousands are declared in slices, each once, and read back with the last", async () => {
  await using world = await createTopologyWorld({ events: true });
  await manyQueues(world);
  await world.start();
  await world.clock.advance(1_000);
  expect(imported(world).reduce((sum, count) => sum + count, 0)).toBe(MANY);
  expect(world.vhost.calls.filter((call) => call.startsWith("declare") || call.startsWith("read"))).toEqual([]);
  expect(world.vhost.calls.filter((call) => call.startsWith("observe")).length).toBeLessThan(5);
  const states = await Promise.all(Array.from({ length: MANY }, (_, n) => world.ready("Queue", `old-${n}`)));
  expect(states.filter((ready) => ready?.status !== "True")).toEqual([]);
  expect(world.events()).toEqual([]);
});

test("thousands with bindings, too: what is written into an object as it is declared makes it no other one", async () => {
  await using world = await createTopologyWorld();
  await world.exchange("shop");
  for (let n = 0; n < MANY; n++) await world.queue(`old-${n}`, { bindings: [{ exchange: "shop", routingKey: `${n}` }] });
  await world.start();
  await world.clock.advance(1_000);
  expect(imported(world).reduce((sum, count) => sum + count, 0)).toBe(1 + 2 * MANY);
  expect(await world.ready("Queue", `old-${MANY - 1}`)).toMatchObject({ status: "True" });
});

test("what thousands wait for comes first, wherever it stands, and two that wait for each other are not left out", async () => {
  await using world = await createTopologyWorld();
  for (let n = 0; n < MANY; n++) await world.queue(`old-${n}`, { bindings: [{ exchange: "last", routingKey: `${n}` }] });
  await world.exchange("last", { bindings: [{ exchange: "other" }] });
  await world.exchange("other", { bindings: [{ exchange: "last" }] });
  await world.start();
  await world.clock.advance(1_000);
  expect(await world.ready("Queue", "old-0")).toMatchObject({ status: "True" });
  expect(await world.ready("Queue", `old-${MANY - 1}`)).toMatchObject({ status: "True" });
  expect(await world.ready("Exchange", "last")).toMatchObject({ status: "True" });
  expect(await world.ready("Exchange", "other")).toMatchObject({ status: "True" });
  expect(world.events()).toEqual([]);
});

test("an object that is changed or deleted meanwhile waits for a slice, not for all of them", async () => {
  await using world = await createTopologyWorld();
  await world.exchange("there");
  await world.queue("changing");
  await world.queue("going");
  await world.start();
  await world.crash();
  await manyQueues(world);
  const { promise, resolve } = Promise.withResolvers<void>();
  world.vhost.hold = promise;
  await world.start();
  const before = world.vhost.calls.length;
  await world.queue("changing", { bindings: [{ exchange: "there" }] });
  await world.remove("Queue", "going");
  world.vhost.hold = undefined;
  resolve();
  await world.clock.advance(1_000);
  const later = world.vhost.calls.slice(before);
  const imports = later.flatMap((call, at) => (call.startsWith("bulk") ? [at] : []));
  const removed = later.indexOf("remove queue/going");
  expect(removed).toBeGreaterThan(0);
  expect(removed).toBeLessThan(imports.at(-1) ?? 0);
  expect(later.indexOf("read queue/changing")).toBeGreaterThan(0);
  expect(later.indexOf("read queue/changing")).toBeLessThan(imports.at(-1) ?? 0);
  expect(await world.get("Queue", "going")).toBeUndefined();
  expect(await world.ready("Queue", "changing")).toMatchObject({ status: "True" });
  expect(await world.ready("Queue", `old-${MANY - 1}`)).toMatchObject({ status: "True" });
});

test("an operator that ends in the middle of thousands ends at once", async () => {
  await using world = await createTopologyWorld();
  await manyQueues(world);
  const { promise, resolve } = Promise.withResolvers<void>();
  world.vhost.hold = promise;
  await world.start();
  const ended = world.crash();
  world.vhost.hold = undefined;
  resolve();
  await ended;
  expect(imported(world).length).toBeLessThan(3);
  await world.start();
  await world.clock.advance(1_000);
  expect(await world.ready("Queue", `old-${MANY - 1}`)).toMatchObject({ status: "True" });
});

test("an operator that waits for a list of thousands does not wait for it to end", async () => {
  await using world = await createTopologyWorld();
  const { promise, resolve } = Promise.withResolvers<void>();
  world.vhost.blind = promise;
  await world.queue("old");
  await world.start();
  expect(world.vhost.calls.at(-1)).toBe("observe");
  await world.crash();
  expect(world.vhost.objects.size).toBe(0);
  resolve();
});

test("what was declared is read back at once when the rest of the thousands goes away", async () => {
  await using world = await createTopologyWorld();
  await manyQueues(world);
  const { promise, resolve } = Promise.withResolvers<void>();
  world.vhost.hold = promise;
  await world.start();
  for (let n = 0; n < MANY; n++) if (!hasFinalizer(await theQueue(world, n))) await world.remove("Queue", `old-${n}`);
  world.vhost.hold = undefined;
  resolve();
  await world.clock.advance(1_000);
  expect(imported(world).length).toBeGreaterThan(1);
  const left = [...world.vhost.objects.keys()].map((identity) => identity.slice("queue/".length));
  expect(left.length).toBeGreaterThan(64);
  const states = await Promise.all(left.map((name) => world.ready("Queue", name)));
  expect(states.filter((ready) => ready?.status !== "True")).toEqual([]);
});

test("a few queues among hundreds of policies are read back as well", async () => {
  await using world = await createTopologyWorld({ events: false });
  for (let n = 0; n < 60; n++) await world.queue(`q-${n}`);
  for (let n = 0; n < 193; n++) await world.put("Policy", `p-${n}`, { pattern: "^q-", definition: { "max-length": 10 } });
  await world.start();
  await world.clock.advance(1_000);
  expect(imported(world)).toEqual([60]);
  const states = await Promise.all(Array.from({ length: 60 }, (_, n) => world.ready("Queue", `q-${n}`)));
  expect(states.filter((ready) => ready?.status !== "True")).toEqual([]);
});
