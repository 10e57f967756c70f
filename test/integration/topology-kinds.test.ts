import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Setting } from "../../operator/adapters/ports.ts";
import type { TopologyObject } from "../../operator/kinds/topology-kind.ts";
import { type BrokerVersion, broker } from "../cluster/cluster.ts";
import type { Manifest } from "./topology-objects.ts";
import { createWorld, type World } from "./topology-world.ts";

const VERSIONS: readonly BrokerVersion[] = ["3.10", "4.3"];

describe.each(VERSIONS)("RabbitMQ %s", (version) => {
  const own = (name: string) => `kinds-${process.pid} ${name}`;
  const [tenant, alice] = [own("tenant"), own("alice")];
  let world: World;
  beforeAll(async () => {
    world = await createWorld(await broker(version), own("vhost"), { protection: true });
  }, 240_000);
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  /** The management API as the given user sees it. */
  const api = async (path: string, password = world.broker.password, user = world.broker.username, init: RequestInit = {}) => {
    const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
    const answer = await fetch(`${world.broker.managementUri}/api${path}`, { ...init, headers: { authorization } });
    return { status: answer.status, json: await answer.json().catch((): unknown => undefined) };
  };
  const login = (password: string) => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { namespace: "default", name: "alice" },
    stringData: { password },
  });
  const inTenant = { brokerRef: { name: "tenant" } };
  const shop = (): readonly Manifest[] => {
    const { make } = world;
    const bound = (destination: string, routingKey: string) =>
      make.any("Binding", `${destination}-${routingKey}`, { ...inTenant, source: "shop", destination, routingKey });
    return [
      bound("welcome", "signup"),
      bound("orders", "order"),
      make.any("Binding", "typed", {
        ...inTenant,
        source: "shop",
        destination: "orders",
        arguments: { myargument: true, anotherargument: 12_345 },
      }),
      make.any("Permission", "alice", { ...inTenant, user: alice, write: "^shop$", read: ".*" }),
      make.any("TopicPermission", "alice", { ...inTenant, user: alice, exchange: "shop", write: "^order" }),
      make.any("Policy", "short", { ...inTenant, pattern: "^orders$", applyTo: "queues", definition: { "message-ttl": 60_000 } }),
      make.any("OperatorPolicy", "limit", { ...inTenant, pattern: "^orders$", definition: { "max-length": 1_000 } }),
      make.queue("welcome", inTenant),
      make.queue("orders", { ...inTenant, type: "classic" }),
      make.any("User", "alice", {
        name: alice,
        tags: ["management"],
        passwordFrom: { secretKeyRef: { name: "alice" } },
        limits: { connections: 10 },
      }),
      make.exchange("shop", { ...inTenant, type: "topic" }),
      make.any("Vhost", "tenant", { name: tenant, description: "a tenant", limits: { queues: 5 } }),
      make.broker({ vhost: tenant }, "tenant"),
      make.broker(),
      login("one"),
    ];
  };
  const objects = () => shop().filter(({ kind }) => kind !== "Secret" && kind !== "Broker");
  const policy: Setting = { type: "policy", name: "short", properties: {} };

  test("a shop with everything, applied in the worst order: all is Ready within seconds, and on the broker", {
    timeout: 60_000,
  }, async () => {
    const { apply, until, make, broker: server } = world;
    await apply(...shop(), make.secret(world.uri, server.managementUri));
    await Promise.all(objects().map((object) => until(object, "Declared", 30_000)));
    const vhost = encodeURIComponent(tenant);
    expect((await api(`/bindings/${vhost}/e/shop/q/orders`)).json).toContainEqual(
      expect.objectContaining({ arguments: { myargument: true, anotherargument: 12_345 } }),
    );
    // In the API with the next statistics, some seconds later.
    const effective = async () => (await api(`/queues/${vhost}/orders`)).json;
    await expect.poll(effective, { timeout: 20_000 }).toMatchObject({ policy: "short", operator_policy: "limit" });
    expect((await api(`/permissions/${vhost}/${encodeURIComponent(alice)}`)).json).toMatchObject({
      configure: "",
      write: "^shop$",
      read: ".*",
    });
    expect((await api("/vhost-limits")).json).toContainEqual({ vhost: tenant, value: { "max-queues": 5 } });
    expect((await api("/whoami", "one", alice)).status).toBe(200);
  });

  test("another password in the Secret works within seconds, and the old one no more", { timeout: 60_000 }, async () => {
    await world.apply(login("two"));
    await expect.poll(async () => (await api("/whoami", "two", alice)).status, { timeout: 15_000 }).toBe(200);
    expect((await api("/whoami", "one", alice)).status).toBe(401);
  });

  test("what somebody removes by hand is back, told by an event and counted", { timeout: 60_000 }, async () => {
    const vhost = encodeURIComponent(tenant);
    const paths = [`/policies/${vhost}/short`, `/permissions/${vhost}/${encodeURIComponent(alice)}`, `/users/${encodeURIComponent(alice)}`];
    for (const path of paths) expect((await api(path, undefined, undefined, { method: "DELETE" })).status).toBe(204);
    for (const path of paths) await expect.poll(async () => (await api(path)).status, { timeout: 20_000, message: path }).toBe(200);
    const short = objects().find(({ kind }) => kind === "Policy")!;
    await expect.poll(async () => (await world.get<TopologyObject>(short))?.status?.repairs, { timeout: 20_000 }).toBeGreaterThanOrEqual(1);
    await Promise.all(objects().map((object) => world.until(object, "Declared", 30_000)));
  });

  test("held back by a plan, then deleted in any order: nothing of it is left on the broker", { timeout: 60_000 }, async () => {
    const { make, apply, remove, gone } = world;
    const planned = make.any("Policy", "planned", { pattern: "^x$", definition: { "max-length": 1 } }, { "longshore.dev/plan": "true" });
    await apply(planned);
    await world.until(planned, "Planned");
    expect((await world.get<TopologyObject>(planned))?.status?.plan).toEqual(["declare policy planned"]);
    expect(await world.hand.read({ ...policy, name: "planned" })).toEqual([]);
    const all = [planned, ...objects().filter(({ kind }) => kind !== "Vhost" && kind !== "User")];
    await remove(...all);
    await Promise.all(all.map((object) => gone(object, 30_000)));
    const rest = objects().filter(({ kind }) => kind === "Vhost" || kind === "User");
    await remove(...rest);
    await Promise.all(rest.map((object) => gone(object, 30_000)));
    expect((await api(`/vhosts/${encodeURIComponent(tenant)}`)).status).toBe(404);
    expect((await api(`/users/${encodeURIComponent(alice)}`)).status).toBe(404);
  });

  test("a super stream, an upstream, and a shovel that moves what is there and ends", { timeout: 90_000 }, async () => {
    const { make, apply, until, remove, gone } = world;
    const here = encodeURIComponent(own("vhost"));
    const uriFrom = { secretKeyRef: { name: "rabbitmq" } };
    const [from, to] = [make.queue("from", { type: "classic" }), make.queue("to", { type: "classic" })];
    const stream = make.any("SuperStream", "readings", { partitions: 2, maxLengthBytes: "1Gi" });
    const upstream = make.any("Federation", "hq", { uriFrom, prefetchCount: 5, expires: "1h" });
    await apply(make.secret(world.uri, world.broker.managementUri), make.broker(), from, to, stream, upstream);
    await Promise.all([from, to, stream, upstream].map((object) => until(object, "Declared", 30_000)));
    expect((await api(`/bindings/${here}/e/readings/q/readings-1`)).json).toMatchObject([
      { routing_key: "1", arguments: { "x-stream-partition-order": 1 } },
    ]);
    expect((await api(`/queues/${here}/readings-0`)).json).toMatchObject({ arguments: { "x-max-length-bytes": 1_073_741_824 } });
    expect((await api(`/parameters/federation-upstream/${here}/hq`)).json).toMatchObject({ value: { expires: 3_600_000 } });

    const body = JSON.stringify({ properties: {}, routing_key: "from", payload: "x", payload_encoding: "string" });
    for (let n = 0; n < 3; n++) await api(`/exchanges/${here}/amq.default/publish`, undefined, undefined, { method: "POST", body });
    const shovel = make.any("Shovel", "move", {
      source: { uriFrom, queue: "from", deleteAfter: "queue-length" },
      destination: { uriFrom, queue: "to" },
    });
    await apply(shovel);
    await until(shovel, "Declared", 30_000);
    const get = JSON.stringify({ count: 5, ackmode: "ack_requeue_true", encoding: "auto" });
    const moved = async () => (await api(`/queues/${here}/to/get`, undefined, undefined, { method: "POST", body: get })).json;
    await expect.poll(moved, { timeout: 30_000, interval: 200 }).toHaveLength(3);
    await expect.poll(async () => (await api(`/parameters/shovel/${here}/move`)).status, { timeout: 30_000 }).toBe(404);
    await world.restartOperator();
    // It was looked at again, after the queue: the shovel that ended is not made anew.
    await apply(make.queue("later", { type: "classic" }));
    await until(make.queue("later"), "Declared", 30_000);
    expect((await api(`/parameters/shovel/${here}/move`)).status).toBe(404);
    const all = [shovel, upstream, stream];
    await remove(...all);
    await Promise.all(all.map((object) => gone(object, 30_000)));
    expect((await api(`/queues/${here}/readings-0`)).status).toBe(404);
    expect((await api(`/exchanges/${here}/readings`)).status).toBe(404);
  });
});
