import { expect, test } from "vitest";
import { createTopologyWorld } from "../../test/fakes/topology-world.ts";
import { isOlder } from "./versions.ts";

test.for([
  ["4.0.5", "4.3", true],
  ["4.3.0", "4.3", false],
  ["3.13.7", "4.3", true],
  ["10.0.1", "4.3", false],
  ["3.10.8", "3.13", true],
  ["", "4.3", false],
] as const)("%s older than %s: %s", ([version, than, want]) => expect(isOlder(version, than)).toBe(want));

test("what this broker would take and ignore is refused, and nothing is declared", async () => {
  await using world = await createTopologyWorld();
  await world.queue("orders", { type: "quorum", consumerTimeout: "30m" });
  await world.queue("plain", { type: "quorum" });
  await world.put("Vhost", "tenant", { deletionProtection: true });
  await world.start();
  await world.clock.advance(1_000);
  const ready = await world.ready("Queue", "orders");
  expect(ready).toMatchObject({ status: "False", reason: "BrokerTooOld" });
  expect(ready?.message).toContain("x-consumer-timeout needs RabbitMQ 4.3, and this one is 4.0.5");
  expect(await world.ready("Vhost", "tenant")).toMatchObject({ reason: "BrokerTooOld" });
  expect([...world.vhost.objects.keys()]).toEqual(["queue/plain"]);
});
