import { expect, test } from "vitest";
import { createTopologyWorld } from "../../test/fakes/topology-world.ts";

test("a new object does not wait for thousands of old ones: it is done beside them", async () => {
  await using world = await createTopologyWorld();
  const { promise, resolve } = Promise.withResolvers<void>();
  for (let n = 0; n < 60; n++) await world.queue(`old-${n}`);
  world.vhost.hold = promise;
  await world.start();
  expect(world.vhost.calls.at(-1)).toBe("bulk 60");
  await world.queue("new");
  await world.clock.advance(20);
  expect(world.vhost.objects.has("queue/new")).toBe(true);
  expect(await world.ready("Queue", "new")).toMatchObject({ status: "True" });
  expect(world.vhost.objects.has("queue/old-0")).toBe(false);
  resolve();
  await world.clock.advance(200);
  expect(await world.ready("Queue", "old-59")).toMatchObject({ status: "True" });
  expect(world.vhost.calls.filter((call) => call === "declare queue/new")).toHaveLength(1);
  expect(world.events()).toEqual([]);
});

test("the first of its kind is looked for before it is declared: what is there already stays as it is", async () => {
  await using world = await createTopologyWorld();
  const { promise, resolve } = Promise.withResolvers<void>();
  for (let n = 0; n < 60; n++) await world.queue(`old-${n}`);
  const policy = { pattern: "^q$", definition: { "max-length": 5 } };
  world.vhost.put({ type: "policy", name: "there", properties: { ...policy, "apply-to": "all", priority: 0 } });
  world.vhost.hold = promise;
  await world.start();
  await world.put("Policy", "there", policy);
  await world.clock.advance(20);
  expect(await world.ready("Policy", "there")).toMatchObject({ status: "True" });
  expect(world.vhost.calls).not.toContain("declare policy/there");
  resolve();
  await world.clock.advance(200);
});

test("what wants the same as an object of the pass that runs is a conflict, and not declared", async () => {
  await using world = await createTopologyWorld();
  const { promise, resolve } = Promise.withResolvers<void>();
  for (let n = 0; n < 60; n++) await world.queue(`old-${n}`);
  world.vhost.hold = promise;
  await world.start();
  await world.clock.advance(2_000);
  await world.queue("thief", { name: "old-7" });
  await world.clock.advance(20);
  expect(await world.ready("Queue", "thief")).toMatchObject({ status: "False", reason: "Conflict" });
  resolve();
  await world.clock.advance(200);
  expect(await world.ready("Queue", "old-7")).toMatchObject({ status: "True" });
});

test("thousands that are in sync cost one look and no status write, however often something else changes", async () => {
  await using world = await createTopologyWorld();
  for (let n = 0; n < 100; n++) await world.queue(`old-${n}`);
  await world.start();
  await world.clock.advance(1_000);
  const [calls, writes] = [world.vhost.calls.length, world.kube.calls.length];
  for (let n = 0; n < 5; n++) {
    await world.queue(`new-${n}`);
    await world.clock.advance(100);
  }
  const more = world.vhost.calls.slice(calls);
  expect(more.filter((call) => call.startsWith("observe"))).toEqual([]);
  expect(more.filter((call) => call.startsWith("declare"))).toHaveLength(5);
  const written = world.kube.calls.slice(writes).filter(({ verb }) => verb === "apply" || verb === "patch");
  expect(written).toHaveLength(10);
});
