import { afterAll, beforeAll, expect, test } from "vitest";
import { type Broker, startBroker } from "../cluster/cluster.ts";
import { createWorld, type World } from "./topology-world.ts";

let broker: Broker;
let world: World;
beforeAll(async () => {
  broker = await startBroker({ version: "4.0", name: "topology-outage" });
  world = await createWorld(broker, `outage-${process.pid}`, { protection: true });
}, 240_000);
afterAll(async () => {
  await broker?.start();
  await world?.[Symbol.asyncDispose]();
  await broker?.stop();
});

const secret = (uri = world.uri) => world.make.secret(uri, broker.managementUri);

test("a wrong password is told without showing it, and a corrected Secret takes effect by itself", async () => {
  const { make, apply, until } = world;
  const queue = make.queue("patient", { type: "classic" });
  await apply(make.broker(), secret(world.uri.replace(broker.password, "not-the-password")), queue);
  const refused = await until(make.broker(), "BrokerRefusedLogin");
  expect(refused.message).not.toContain("not-the-password");
  expect((await until(queue, "BrokerNotReady")).message).toContain("BrokerRefusedLogin");
  await apply(secret());
  await Promise.all([until(make.broker(), "Ready", 8_000), until(queue, "Declared", 8_000)]);
});

const wrong: readonly [why: string, uri: () => string, management: () => string, reason: string][] = [
  ["a URI that is none", () => "rabbitmq", () => broker.managementUri, "SecretInvalid"],
  ["a vhost that does not exist", () => new URL("/nowhere", world.uri).href, () => broker.managementUri, "VhostMissing"],
  ["a host where nobody listens", () => "amqp://u:p@127.0.0.1:1/", () => broker.managementUri, "BrokerUnreachable"],
  ["a management API where nobody listens", () => world.uri, () => "http://127.0.0.1:1", "ManagementUnreachable"],
];
test.for(wrong)("%s has a reason of its own, and passes when it is corrected", async ([, uri, management, reason]) => {
  const { make, apply, until } = world;
  await apply(make.secret(uri(), management()));
  await until(make.broker(), reason);
  await apply(secret());
  await until(make.broker(), "Ready", 8_000);
});

test("a broker that stops is told; when it is back everything is Ready again within about two seconds, and was never believed meanwhile", async () => {
  const { make, until } = world;
  await broker.stop();
  await until(make.broker(), "BrokerUnreachable", 5_000);
  expect(await until(make.queue("patient"), "BrokerNotReady")).toMatchObject({ status: "Unknown" });
  await broker.start();
  const started = performance.now();
  await Promise.all([until(make.broker(), "Ready"), until(make.queue("patient"), "Declared")]);
  expect(performance.now() - started).toBeLessThan(3_500);
});

test("with the broker away, Retain goes at once, Orphan goes after its timeout and says so", async () => {
  const { make, apply, until, remove, gone } = world;
  const [orphan, kept] = [make.queue("orphan", { type: "classic" }), make.queue("kept", { type: "classic", deletionPolicy: "Retain" })];
  await apply(make.broker({ unreachablePolicy: "Orphan", unreachableTimeoutSeconds: 1 }), orphan, kept);
  await Promise.all([until(orphan, "Declared"), until(kept, "Declared")]);
  await broker.stop();
  await until(make.broker(), "BrokerUnreachable", 5_000);
  await remove(orphan, kept);
  await Promise.all([gone(kept, 3_000), gone(orphan, 6_000)]);
  // Events are written beside the work.
  await expect.poll(async () => (await world.eventsOf(orphan)).map(({ reason }) => reason)).toContain("Orphaned");
});

test("a namespace that is deleted while the broker is away does not hang: without the Secret nobody waits, whatever the policy", async () => {
  const { make, apply, remove, gone } = world;
  await apply(make.broker({ unreachablePolicy: "Wait" }));
  await remove(secret(), make.broker(), make.queue("patient"));
  await Promise.all([gone(make.queue("patient"), 8_000), gone(make.broker(), 8_000)]);
});

test("a Broker and its queue that are deleted together are cleaned up together: the login is kept until the last queue is gone", async () => {
  const { make, apply, until, remove, gone } = world;
  await broker.start();
  const queue = make.queue("together", { type: "classic" });
  await apply(secret(), make.broker(), queue);
  await until(queue, "Declared");
  await remove(make.broker());
  expect((await until(make.broker(), "BrokerInUse")).message).toContain("Queue/default/together");
  await remove(secret(), queue);
  await Promise.all([gone(queue), gone(make.broker())]);
  expect(await world.hand.read({ type: "queue", name: "together" })).toEqual([]);
});
