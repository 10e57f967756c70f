import { afterAll, beforeAll, expect, test } from "vitest";
import type { BrokerEndpoint, BrokerObject } from "../../operator/adapters/ports.ts";
import { connectTopology } from "../../operator/adapters/rabbitmq/management.ts";
import { type Broker, broker } from "../cluster/cluster.ts";
import { classicQueue } from "../integration/topology-objects.ts";
import { endpointOfBroker } from "./broker-endpoint.ts";

/** A vhost of its own: what is put there hides a whole vhost from the lists of RabbitMQ 4.0.5. */
const vhost = `binding-lists-${process.pid}`;
const user = `${vhost}-user`;
let server: Broker;
beforeAll(async () => {
  server = await broker("4.0");
  await server.ctl("add_vhost", vhost);
  await server.ctl("set_permissions", "-p", vhost, server.username, ".*", ".*", ".*");
  await server.ctl("add_user", user, "secret");
  await server.ctl("set_user_tags", user, "management");
  await server.ctl("set_permissions", "-p", vhost, user, ".*", ".*", ".*");
}, 240_000);
afterAll(async () => {
  await server?.ctl("delete_user", user);
  await server?.ctl("delete_vhost", vhost);
});

const logins: readonly [who: string, change: () => Partial<BrokerEndpoint>][] = [
  ["an administrator", () => ({})],
  [
    "somebody who may not export",
    () => ({ username: user, password: "secret", management: { url: server.managementUri, username: user, password: "secret" } }),
  ],
];
const binding = (source: string, destination: string): BrokerObject & { type: "binding" } => ({
  type: "binding",
  source,
  destinationType: "queue",
  destination,
  routingKey: "k",
  arguments: { n: 1 },
});

test.for(logins)(
  "one binding that the broker cannot list hides itself and its pair alone, from %s",
  { timeout: 60_000 },
  async ([, change]) => {
    await using port = connectTopology({ ...endpointOfBroker(server), vhost, ...change() }, { random: Math.random });
    await port.probe();
    const [hidden, clear] = [binding("amq.topic", "hidden"), binding("amq.topic", "clear")];
    const beside = binding("amq.direct", "hidden");
    for (const object of [classicQueue("hidden"), classicQueue("clear"), hidden, clear, beside]) await port.declare(object);
    const authorization = `Basic ${Buffer.from(`${server.username}:${server.password}`).toString("base64")}`;
    const body = JSON.stringify({ routing_key: "a~b", arguments: { x: 1 } });
    const path = `${server.managementUri}/api/bindings/${vhost}/e/amq.topic/q/hidden`;
    // It is made, and of 4.0.5 the answer, which would name its key, crashes already.
    const made = await fetch(path, { method: "POST", headers: { authorization, "content-type": "application/json" }, body });
    const { objects } = await port.observe(["topology"]);
    if (made.status === 201) return expect(objects).toEqual(expect.arrayContaining([classicQueue("hidden"), hidden, clear, beside]));
    expect(objects).toEqual(expect.arrayContaining([classicQueue("hidden"), classicQueue("clear"), clear, beside]));
    expect(objects).not.toContainEqual(hidden);
    expect(await port.read({ type: "queue", name: "hidden" })).toEqual([classicQueue("hidden"), beside]);
    await expect(port.declare({ ...hidden, routingKey: "other" })).rejects.toThrow("from exchange amq.topic to hidden");
    await port.remove(classicQueue("hidden"));
    expect(await port.read({ type: "queue", name: "hidden" })).toEqual([]);
    for (const object of [classicQueue("hidden"), hidden]) await port.declare(object);
    expect((await port.observe(["topology"])).objects).toContainEqual(hidden);
  },
);
