import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bindingsOf, createTopologyWorld, type TopologyWorld } from "../../test/fakes/topology-world.ts";
import { BrokerError } from "../adapters/ports.ts";
import { passwordHash } from "./password.ts";

let world: TopologyWorld;
beforeEach(async () => {
  world = await createTopologyWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

const policy = { pattern: "^q$", definition: { "message-ttl": 5 } };
const there = (identity: string) => world.vhost.objects.get(identity);
const secret = (name: string, data: Readonly<Record<string, string>>) => {
  const base64 = Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString("base64")]));
  const object = { apiVersion: "v1", kind: "Secret", metadata: { name, namespace: "n" }, data: base64 };
  world.kube.seed({ group: "", version: "v1", plural: "secrets", kind: "Secret" }, object);
};

test("a setting that somebody changed is changed back, told and counted; one that the spec changes is simply set", async () => {
  await world.put("Policy", "ttl", policy);
  await world.start();
  expect(await world.ready("Policy", "ttl")).toMatchObject({ status: "True", message: "policy ttl, read back from rabbit:5672/" });
  await world.put("Policy", "ttl", { ...policy, priority: 7 });
  await world.clock.advance(100);
  expect(there("policy/ttl")).toMatchObject({ properties: { priority: 7 } });
  expect(world.events()).toEqual([]);
  world.vhost.put({ type: "policy", name: "ttl", properties: { ...policy, "apply-to": "all", priority: 1 } });
  await world.clock.advance(2_000);
  expect(there("policy/ttl")).toMatchObject({ properties: { priority: 7 } });
  expect(world.events()).toEqual(["DriftRepaired"]);
  expect((await world.get("Policy", "ttl"))?.status?.repairs).toBe(1);
});

test("a repair that the broker refuses at first is told and counted when it works, once", async () => {
  await world.put("Vhost", "tenant", {});
  await world.start();
  await world.clock.advance(100);
  world.vhost.failNext("declare vhost/tenant", new BrokerError("unavailable", "management", "it is still being deleted"));
  world.vhost.take("vhost/tenant");
  await world.clock.advance(10_000);
  expect(await world.ready("Vhost", "tenant")).toMatchObject({ status: "True" });
  expect(world.events()).toEqual(["DriftRepaired"]);
  expect((await world.get("Vhost", "tenant"))?.status?.repairs).toBe(1);
});

test("nothing is asked about settings that nobody has an object for", async () => {
  await world.queue("q");
  await world.start();
  await world.clock.advance(40_000);
  expect(world.vhost.calls.filter((call) => call.startsWith("observe "))).toEqual([]);
  await world.put("Policy", "ttl", policy);
  await world.clock.advance(100);
  expect(new Set(world.vhost.calls.filter((call) => call.startsWith("observe ")))).toEqual(new Set(["observe policy"]));
});

test("a broker that takes a setting and shows another one is no false Ready, and is not asked all the time", async () => {
  await world.start();
  world.vhost.ignore("policy/ttl");
  await world.put("Policy", "ttl", policy);
  await world.clock.advance(10_000);
  expect(await world.ready("Policy", "ttl")).toMatchObject({
    status: "False",
    reason: "ArgumentsDiffer",
    message: expect.stringContaining("shows another value for pattern, apply-to, priority, definition"),
  });
  expect(world.vhost.calls.filter((call) => call === "declare policy/ttl").length).toBeLessThan(8);
});

describe("a user", () => {
  const from = { tags: ["monitoring"], passwordFrom: { secretKeyRef: { name: "login", key: "password" } } };
  const hashOf = async (password: string) => passwordHash(password, (await world.get("User", "alice"))?.metadata.uid ?? "");

  test("waits for its Secret, and follows it: another password is no drift", async () => {
    await world.put("User", "alice", from);
    await world.start();
    expect(await world.ready("User", "alice")).toMatchObject({ status: "False", reason: "SecretMissing" });
    expect(there("user/alice")).toBeUndefined();
    secret("login", { password: "one" });
    await world.clock.advance(5_000);
    expect(there("user/alice")).toMatchObject({ properties: { tags: ["monitoring"], password_hash: await hashOf("one") } });
    secret("login", { password: "two" });
    await world.clock.advance(5_000);
    expect(there("user/alice")).toMatchObject({ properties: { password_hash: await hashOf("two") } });
    expect(await world.ready("User", "alice")).toMatchObject({ status: "True" });
    expect(world.events()).not.toContain("DriftRepaired");
  });

  test("gets a password of its own, in a Secret that goes with it", async () => {
    await world.put("User", "alice", { generateInto: { name: "made" } });
    await world.start();
    const made = await world.kube.get<
      { stringData: { password: string; username: string } } & NonNullable<Awaited<ReturnType<typeof world.get>>>
    >({ group: "", version: "v1", plural: "secrets", kind: "Secret" }, "n", "made");
    expect(made?.metadata.ownerReferences).toMatchObject([{ kind: "User", name: "alice" }]);
    expect(made?.stringData.username).toBe("alice");
    expect(there("user/alice")).toMatchObject({ properties: { password_hash: await hashOf(made?.stringData.password ?? "") } });
  });
});

describe("a binding by itself", () => {
  const spec = { source: "shop", destination: "orders", routingKey: "k" };

  test("says which end is missing, leads there when it comes, and goes alone", async () => {
    await world.put("Binding", "bound", spec);
    await world.start();
    expect(await world.ready("Binding", "bound")).toMatchObject({
      reason: "ExchangeMissing",
      message: expect.stringContaining("exchange shop, queue orders"),
    });
    await world.exchange("shop");
    await world.queue("orders");
    await world.clock.advance(100);
    expect(await world.ready("Binding", "bound")).toMatchObject({ status: "True" });
    expect(bindingsOf(world.vhost, "orders")).toEqual(["shop k"]);
    await world.remove("Binding", "bound");
    await world.clock.advance(100);
    expect(await world.get("Binding", "bound")).toBeUndefined();
    expect(bindingsOf(world.vhost, "orders")).toEqual([]);
    expect(there("queue/orders")).toBeDefined();
  });

  test("that the queue lists, too, stays when it goes", async () => {
    await world.exchange("shop");
    await world.queue("orders", { bindings: [{ exchange: "shop", routingKey: "k" }] });
    await world.put("Binding", "bound", spec);
    await world.start();
    await world.remove("Binding", "bound");
    await world.clock.advance(100);
    expect(await world.get("Binding", "bound")).toBeUndefined();
    expect(world.vhost.calls.filter((call) => call.startsWith("remove"))).toEqual([]);
    expect(bindingsOf(world.vhost, "orders")).toEqual(["shop k"]);
  });
});

describe("held back", () => {
  test("paused: what is wrong is said and left; then it is done", async () => {
    await world.queue("q");
    await world.start();
    await world.put("Queue", "q", { type: "classic" }, { "longshore.dev/paused": "" });
    await world.clock.advance(100);
    expect(await world.ready("Queue", "q")).toMatchObject({ status: "True" });
    world.vhost.take("queue/q");
    await world.clock.advance(5_000);
    expect(there("queue/q")).toBeUndefined();
    expect(await world.ready("Queue", "q")).toMatchObject({
      status: "False",
      reason: "Paused",
      message: expect.stringContaining("declare queue q"),
    });
    await world.put("Queue", "q", { type: "classic" }, { "longshore.dev/paused": "false" });
    await world.clock.advance(2_000);
    expect(there("queue/q")).toBeDefined();
  });

  test("plan: what would be done stands in the status, and nothing is changed, not even by a deletion", async () => {
    const plan = { "longshore.dev/plan": "true" };
    await world.start();
    await world.put("Policy", "ttl", policy, plan);
    await world.clock.advance(5_000);
    expect((await world.get("Policy", "ttl"))?.status?.plan).toEqual(["declare policy ttl"]);
    expect((await world.get("Policy", "ttl"))?.metadata.finalizers).toBeUndefined();
    expect(there("policy/ttl")).toBeUndefined();
    await world.put("Policy", "ttl", policy, { "longshore.dev/plan": "false" });
    await world.clock.advance(1_000);
    expect((await world.get("Policy", "ttl"))?.status?.plan).toBeUndefined();
    await world.put("Policy", "ttl", policy, plan);
    await world.remove("Policy", "ttl");
    await world.clock.advance(5_000);
    expect((await world.get("Policy", "ttl"))?.status?.plan).toEqual(["remove policy ttl"]);
    expect(there("policy/ttl")).toBeDefined();
  });
});

test("a Broker of another namespace serves those that it names, and nobody else", async () => {
  await world.put("Queue", "guest", { type: "classic", brokerRef: { name: "rabbitmq", namespace: "elsewhere" } });
  await world.start();
  expect(await world.ready("Queue", "guest")).toMatchObject({ status: "False", reason: "NamespaceNotAllowed" });
  await world.brokerElsewhere("elsewhere", ["other"]);
  await world.clock.advance(1_000);
  expect(await world.ready("Queue", "guest")).toMatchObject({ status: "False", reason: "NamespaceNotAllowed" });
  expect(there("queue/guest")).toBeUndefined();
  await world.brokerElsewhere("elsewhere", ["n"]);
  await world.clock.advance(1_000);
  expect(await world.ready("Queue", "guest")).toMatchObject({ status: "True" });
  expect(there("queue/guest")).toBeDefined();
});

test("a super stream with DeleteIfEmpty keeps all of its partitions while any holds a message, and says which", async () => {
  await world.put("SuperStream", "readings", { partitions: 2, deletionPolicy: "DeleteIfEmpty" });
  await world.start();
  world.vhost.messages.set("readings-1", 5);
  await world.remove("SuperStream", "readings");
  await world.clock.advance(3_000);
  expect(["exchange/readings", "queue/readings-0", "queue/readings-1"].map((one) => there(one) !== undefined)).toEqual([true, true, true]);
  expect((await world.ready("SuperStream", "readings"))?.message).toContain("queue readings-1 has 5 messages");
  world.vhost.messages.clear();
  await world.clock.advance(5_000);
  expect(["exchange/readings", "queue/readings-0", "queue/readings-1"].map((one) => there(one) !== undefined)).toEqual([
    false,
    false,
    false,
  ]);
  expect(await world.get("SuperStream", "readings")).toBeUndefined();
});
