import { expect, test } from "vitest";
import { createTopologyWorld } from "../../test/fakes/topology-world.ts";
import { BrokerError } from "../adapters/ports.ts";
import { brokerKind } from "../kinds/broker/schema.ts";
import { resourceOf } from "../runtime/define-kind.ts";

test.for([
  ["the broker says that the vhost is not there: what was in it is let go", "management", true],
  ["the login may not enter the vhost, or it is not there: nobody knows, so it waits", "amqp", false],
] as const)("%s", async ([, via, gone]) => {
  await using world = await createTopologyWorld();
  await world.queue("orders");
  await world.put("User", "alice", {});
  await world.start();
  await world.clock.advance(100);
  world.vhost.failure = new BrokerError("vhost", via, "the broker has no vhost /");
  await world.remove("Queue", "orders");
  await world.remove("User", "alice");
  await world.clock.advance(60_000);
  expect((await world.get("Queue", "orders")) === undefined).toBe(gone);
  // A user stands beside vhosts.
  expect(await world.get("User", "alice")).toBeDefined();
  expect(world.events()).not.toContain("Orphaned");
});

test("an exchange with DeleteIfEmpty goes when no binding leads out of it any more", async () => {
  await using world = await createTopologyWorld();
  await world.exchange("shop", { deletionPolicy: "DeleteIfEmpty" });
  await world.queue("orders", { bindings: [{ exchange: "shop" }] });
  await world.start();
  await world.clock.advance(100);
  await world.remove("Exchange", "shop");
  await world.clock.advance(5_000);
  expect(await world.ready("Exchange", "shop")).toMatchObject({ status: "False", reason: "QueueNotEmpty" });
  await world.remove("Queue", "orders");
  await world.clock.advance(5_000);
  expect(await world.get("Exchange", "shop")).toBeUndefined();
  expect(world.vhost.objects.has("exchange/shop")).toBe(false);
});

test.for([
  ["Wait", false],
  ["Orphan", true],
] as const)("what the broker will not have removed: with %s it is let go in the end: %s", async ([unreachablePolicy, gone]) => {
  await using world = await createTopologyWorld();
  const spec = { uriFrom: { secretKeyRef: { name: "rabbitmq" } }, unreachablePolicy, unreachableTimeoutSeconds: 60 };
  await world.kube.patch(resourceOf(brokerKind), "n", "rabbitmq", { spec });
  await world.queue("orders");
  await world.start();
  await world.clock.advance(100);
  for (let times = 0; times < 500; times++)
    world.vhost.failNext("remove queue/orders", new BrokerError("forbidden", "management", "access refused"));
  await world.remove("Queue", "orders");
  await world.clock.advance(50_000);
  expect(await world.ready("Queue", "orders")).toMatchObject({
    reason: "NotPermitted",
    message: expect.stringContaining("access refused"),
  });
  await world.clock.advance(60_000);
  expect((await world.get("Queue", "orders")) === undefined).toBe(gone);
  expect(world.events().includes("Orphaned")).toBe(gone);
  expect(world.vhost.objects.has("queue/orders")).toBe(true);
});
