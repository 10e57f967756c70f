import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Arguments, BrokerObject, Declared, Destination, Part, Target, TopologyPort } from "../../operator/adapters/ports.ts";
import { connectTopology } from "../../operator/adapters/rabbitmq/management.ts";
import { type BrokerVersion, broker } from "../cluster/cluster.ts";
import { createFakeVhost } from "../fakes/vhost.ts";
import { endpointOfBroker } from "./broker-endpoint.ts";

/** Names are this process's own: the brokers are shared. */
const own = (name: string) => `topology-contract-${process.pid} ${name}`;
const exchange = (name: string, more: Partial<BrokerObject & { type: "exchange" }> = {}): BrokerObject & { type: "exchange" } => ({
  type: "exchange",
  name: own(name),
  kind: "topic",
  durable: true,
  autoDelete: false,
  internal: false,
  arguments: {},
  ...more,
});
const queue = (name: string, more: Partial<BrokerObject & { type: "queue" }> = {}): BrokerObject & { type: "queue" } => {
  const { kind = "classic" } = more;
  const args = { "x-queue-type": kind, ...more.arguments };
  return { type: "queue", name: own(name), kind, durable: true, autoDelete: false, exclusive: false, ...more, arguments: args };
};
const binding = (source: string, destination: Destination, routingKey = "", args: Arguments = {}): Declared => ({
  type: "binding",
  source: own(source),
  destinationType: destination.type,
  destination: destination.name,
  routingKey,
  arguments: args,
});

const real = (version: BrokerVersion) => async () => connectTopology(endpointOfBroker(await broker(version)), { random: Math.random });
const ports: readonly [name: string, make: () => Promise<TopologyPort>][] = [
  ["a vhost in memory", async () => createFakeVhost().connect()],
  ["RabbitMQ 3.10", real("3.10")],
  ["RabbitMQ 4.0", real("4.0")],
  ["RabbitMQ 4.3", real("4.3")],
];

describe.each(ports)("%s", (name, make) => {
  let port: TopologyPort;
  const made: BrokerObject[] = [];
  const declare = async (...objects: readonly BrokerObject[]) => {
    for (const object of objects) {
      made.push(object);
      await port.declare(object);
    }
  };

  beforeAll(async () => {
    port = await make();
  }, 240_000);
  afterAll(async () => {
    for (const object of made.toReversed()) await port?.remove(object);
    await port?.[Symbol.asyncDispose]();
  });

  test("says what it is", async () => {
    const facts = await port.probe();
    expect(facts.version).toMatch(/^\d+\.\d+\.\d+/);
    if (name.startsWith("RabbitMQ")) expect(facts.version.startsWith(name.slice("RabbitMQ ".length))).toBe(true);
    expect(facts.capabilities).toContain("bulk");
    expect(facts.alarms).toEqual([]);
    expect(facts.nodes).toEqual([{ name: expect.any(String), running: true }]);
    expect(facts.cluster).toEqual(expect.any(String));
  });

  test("what was declared is read back as it was declared, the types of arguments too, and declaring it again changes nothing", async () => {
    const args = { "x-max-length-bytes": 1_000_000_000, text: "3", on: true };
    const [shop, orders] = [exchange("shop", { internal: true }), queue("orders", { arguments: args })];
    const bound = binding("shop", orders, "order.*", { "x-any": true, count: 12_345 });
    await declare(shop, orders, bound, shop, orders, bound);
    expect(await port.read(shop)).toEqual([shop]);
    expect(await port.read(orders)).toEqual([orders, bound]);
    const { objects } = await port.observe(["topology"]);
    for (const object of [shop, orders, bound]) expect(objects).toContainEqual(object);
  });

  test("quorum queues and streams", async () => {
    const quorum = queue("quorum", { kind: "quorum", arguments: { "x-quorum-initial-group-size": 1, "x-delivery-limit": 5 } });
    const stream = queue("stream", { kind: "stream", arguments: { "x-max-age": "1h" } });
    await declare(quorum, stream);
    expect(await port.read(quorum)).toEqual([quorum]);
    expect(await port.read(stream)).toEqual([stream]);
  });

  test.for(["a/b", "100%", "a b+c", "Zürich ☂", "?&=#"])("a queue and an exchange called %s", async (special) => {
    const [source, target] = [exchange(special), queue(special)];
    await declare(source, target, binding(special, target, special, { [special]: special }));
    expect(await port.read(target)).toEqual([target, binding(special, target, special, { [special]: special })]);
    await port.remove(binding(special, target, special, { [special]: special }));
    expect(await port.read(target)).toEqual([target]);
  });

  test("a binding whose routing key the management API takes for a step in its path goes by AMQP, and its siblings stay", async () => {
    const [target, other] = [queue("dots"), exchange("dots.to")];
    const stays = binding("dots", target, "a.b");
    await declare(exchange("dots"), target, other, stays, binding("dots", target, ".."), binding("dots", other, "."));
    for (const one of [binding("dots", target, ".."), binding("dots", other, ".")]) await port.remove(one);
    await port.remove(binding("dots", target, "."));
    expect([...(await port.read(target)), ...(await port.read(other))]).toEqual([target, stays, other]);
  });

  test("bindings that differ in their arguments only are two, and one goes without the other", async () => {
    const [source, target] = [exchange("headers", { kind: "headers" }), queue("by-header")];
    const [one, two] = [binding("headers", target, "", { kind: "a", n: 1 }), binding("headers", target, "", { kind: "b", n: 1 })];
    await declare(source, target, one, two, one);
    expect(await port.read(target)).toHaveLength(3);
    await port.remove(one);
    await port.remove(one);
    expect(await port.read(target)).toEqual([target, two]);
  });

  test("queues are counted", async () => {
    await declare(queue("counted"));
    const figures = async (consumers: boolean) => (await port.figures({ consumers })).get(own("counted"));
    for (const consumers of [true, false]) await expect.poll(() => figures(consumers), { timeout: 20_000 }).toMatchObject({ ready: 0 });
  });

  test("an exchange shows the bindings that lead into it, not those that lead out", async () => {
    const [from, to, out] = [exchange("from"), exchange("to"), queue("out")];
    await declare(from, to, out, binding("from", to, "#"), binding("to", out, "#"));
    expect(await port.read(to)).toEqual([to, binding("from", to, "#")]);
  });

  test("other properties for what exists are refused, and change nothing", async () => {
    const limited = queue("limited", { arguments: { "x-max-length": 5 } });
    await declare(limited);
    await expect(port.declare({ ...limited, arguments: { ...limited.arguments, "x-max-length": 6 } })).rejects.toMatchObject({
      name: "BrokerError",
      failure: "differs",
    });
    expect(await port.read(limited)).toEqual([limited]);
  });

  test("a binding from an exchange that is not there is refused as missing", async () => {
    await declare(queue("alone"));
    await expect(port.declare(binding("nowhere", queue("alone")))).rejects.toMatchObject({ failure: "missing" });
  });

  test("what is not there reads as nothing, and removing it is a success", async () => {
    expect(await port.read({ type: "queue", name: own("never") })).toEqual([]);
    await port.remove(queue("never"));
    await port.remove(exchange("never"));
    await port.remove(binding("never", queue("never")));
  });

  test("an exchange from which a binding leads is kept by ifEmpty", async () => {
    const [source, target] = [exchange("used"), queue("used-by")];
    await declare(source, target, binding("used", target, "#"));
    await expect(port.remove(source, { ifEmpty: true })).rejects.toMatchObject({ failure: "not-empty" });
    await port.remove(binding("used", target, "#"));
    await port.remove(source, { ifEmpty: true });
    expect(await port.read(source)).toEqual([]);
  });

  test("many at once, in any order", async () => {
    const queues = Array.from({ length: 60 }, (_, n) => queue(`bulk-${n}`));
    const all = [...queues.map((one) => binding("bulk", one, one.name)), ...queues, exchange("bulk")];
    made.push(...all.toReversed());
    await port.bulk(all);
    const { objects } = await port.observe(["topology"]);
    for (const object of all) expect(objects).toContainEqual(object);
  });

  test("what did not change since is said to be unchanged where the broker knows, and a change is seen at once", async () => {
    if (!name.endsWith("4.3")) return;
    // The broker is shared: only a quiet moment shows it.
    const quiet = async () => (await port.observe(["topology", "policy"])).unchanged;
    await expect.poll(quiet, { timeout: 30_000 }).toEqual(["topology", "policy"]);
    await declare(queue("etagged"));
    expect((await port.observe(["topology"])).objects).toContainEqual(queue("etagged"));
  });

  test("changes by anybody are told, with their target", async () => {
    const told: (Target | Part | undefined)[] = [];
    const subscription = await port.changes((target) => told.push(target));
    if (subscription === "unsupported") throw new Error("the event exchange is enabled on all our brokers");
    const target = queue("watched");
    await declare(exchange("watched"), target, binding("watched", target, "k"));
    await port.remove(target);
    await expect
      .poll(() => told.filter((one) => typeof one === "object" && one.name === target.name).length, { timeout: 30_000 })
      .toBeGreaterThanOrEqual(4);
    expect(told).toContainEqual({ type: "exchange", name: own("watched") });
    await subscription[Symbol.asyncDispose]();
  });
});
