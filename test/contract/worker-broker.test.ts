import { randomUUID } from "node:crypto";
import { type Channel, type ChannelModel, connect } from "amqplib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAmqp } from "../../worker/adapters/amqp.ts";
import type { BrokerError, BrokerPort, Delivery, Publication } from "../../worker/ports.ts";
import { type Broker, broker } from "../cluster/cluster.ts";

const POLL = { timeout: 30_000 };

describe.each(["4.0", "4.3"] as const)("RabbitMQ %s as a BrokerPort", (version) => {
  let shared: Broker;
  let port: BrokerPort;
  let model: ChannelModel;
  let channel: Channel;
  const changes: string[] = [];
  const vhost = `worker-broker-${process.pid}`;
  beforeAll(async () => {
    shared = await broker(version);
    await shared.ctl("add_vhost", vhost);
    await shared.ctl("set_permissions", "-p", vhost, shared.username, ".*", ".*", ".*");
    const url = `${shared.uri.replace(/\/$/, "")}/${vhost}`;
    port = connectAmqp({
      url,
      name: "contract",
      onChange: ({ what, up, error }) => void changes.push(`${what} ${up} ${error?.message ?? ""}`),
    });
    model = await connect(url);
    model.on("error", () => {});
    channel = await model.createChannel();
  });
  afterAll(async () => {
    await port[Symbol.asyncDispose]();
    // The last test cuts this one too.
    await model.close().catch(() => {});
    await shared.ctl("delete_vhost", vhost);
  });

  const queue = async (type = "quorum"): Promise<string> => {
    const { queue: name } = await channel.assertQueue(randomUUID(), { durable: true, arguments: { "x-queue-type": type } });
    return name;
  };
  const to = (routingKey: string, text = "x", exchange = ""): Publication => ({
    exchange,
    routingKey,
    properties: { deliveryMode: 2, correlationId: text, headers: { n: 1 } },
    body: Buffer.from(text),
  });
  const collect = async (name: string, prefetch = 10) => {
    const got: Delivery[] = [];
    const consumer = await port.consume(name, prefetch, (delivery) => void got.push(delivery));
    return { got, consumer };
  };

  test("delivers what was published, with its properties, and takes acks and rejects", async () => {
    const name = await queue();
    const { got } = await collect(name);
    await port.publish(to(name));
    await expect.poll(() => got.length, POLL).toBe(1);
    expect(got[0]).toMatchObject({
      queue: name,
      exchange: "",
      routingKey: name,
      redelivered: false,
      properties: { correlationId: "x", headers: { n: 1 } },
    });
    expect(got[0]?.properties).not.toHaveProperty("replyTo");
    expect(got[0]?.reject(true)).toBe(true);
    await expect.poll(() => got.length, POLL).toBe(2);
    expect(got[1]?.redelivered).toBe(true);
    expect(got[1]?.ack()).toBe(true);
  });

  test("hands out no more than the prefetch, and goes on after an ack", async () => {
    const name = await queue();
    await Promise.all(["a", "b", "c", "d"].map((text) => port.publish(to(name, text))));
    const { got } = await collect(name, 2);
    await expect.poll(() => got.length, POLL).toBe(2);
    expect((await channel.checkQueue(name)).messageCount).toBe(2);
    got[0]?.ack();
    await expect.poll(() => got.length, POLL).toBe(3);
  });

  test("after a cancel nothing more comes, and what came is settled as before", async () => {
    const name = await queue();
    await port.publish(to(name));
    const { got, consumer } = await collect(name);
    await expect.poll(() => got.length, POLL).toBe(1);
    await consumer.cancel();
    await port.publish(to(name));
    await expect.poll(async () => (await channel.checkQueue(name)).messageCount, POLL).toBe(1);
    expect(got).toHaveLength(1);
    expect(got[0]?.ack()).toBe(true);
  });

  test("a cancel in the middle of a flow gives no message back", async () => {
    const name = await queue();
    await Promise.all(Array.from({ length: 1_000 }, (_, n) => port.publish(to(name, String(n)))));
    const redelivered: string[] = [];
    let got = 0;
    for (let round = 0; round < 100; round += 1) {
      const before = got;
      const consumer = await port.consume(name, 1, (delivery) => {
        got += 1;
        if (delivery.redelivered) redelivered.push(String(delivery.body));
        setImmediate(() => delivery.ack());
      });
      await expect.poll(() => got, POLL).toBeGreaterThan(before);
      await consumer.cancel();
    }
    expect(redelivered).toEqual([]);
  });

  const refusals: readonly [why: string, failure: string, text: RegExp, act: () => Promise<unknown>][] = [
    ["a queue that is missing", "missing", /no queue 'nowhere'/, () => port.consume("nowhere", 1, () => {})],
    ["an exchange that is missing", "missing", /exchange "nowhere"/, () => port.publish(to("k", "x", "nowhere"))],
    [
      "a message that no queue takes, when asked to say so",
      "unroutable",
      /no queue is bound/,
      () => port.publish({ ...to("nowhere"), mandatory: true }),
    ],
    [
      "headers beyond 64 KiB",
      "invalid",
      /exceed|KiB|size/i,
      () => port.publish({ ...to("k"), properties: { headers: { big: "x".repeat(70_000) } } }),
    ],
  ];
  test.for(refusals)("names %s", async ([, failure, text, act]) => {
    const error = await act().then(
      () => undefined,
      (thrown: unknown) => thrown as BrokerError,
    );
    expect(error).toMatchObject({ failure, message: expect.stringMatching(text) });
    expect(error?.message).not.toContain(shared.password);
    // The others are not disturbed.
    const name = await queue();
    await port.publish(to(name));
  });

  test("consumes again when its queue was deleted and comes back", async () => {
    const name = await queue("classic");
    const { got } = await collect(name);
    await channel.deleteQueue(name);
    await expect.poll(() => changes.some((change) => change.includes(name)), POLL).toBe(true);
    await channel.assertQueue(name, { durable: true, arguments: { "x-queue-type": "classic" } });
    await port.publish(to(name));
    await expect.poll(() => got.length, POLL).toBe(1);
  });

  test.for([
    ["a queue", ""],
    ["a direct exchange", "direct"],
    ["a topic exchange", "topic"],
  ] as const)("a delayed message reaches %s with its own key, and never early", async ([, type]) => {
    const name = await queue();
    const { got } = await collect(name);
    if (type !== "") {
      await channel.assertExchange(`x-${type}`, type);
      await channel.bindQueue(name, `x-${type}`, "key.a");
    }
    const before = performance.now();
    const delayed = type === "" ? to(name) : to("key.a", "x", `x-${type}`);
    await port.publishLater({ ...delayed, properties: { ...delayed.properties, expiration: "1" } }, 330);
    await expect.poll(() => got.length, { ...POLL, interval: 5 }).toBe(1);
    expect(performance.now() - before).toBeGreaterThanOrEqual(330);
    expect(got[0]?.routingKey).toBe(type === "" ? name : "key.a");
    // And once more, with what the first wait left in its headers.
    await port.publishLater({ ...delayed, properties: got[0]?.properties ?? delayed.properties }, 100);
    await expect.poll(() => got.length, POLL).toBe(2);
  });

  test("a subscription hears a fanout exchange and comes back after its connection was cut", async () => {
    const heard: string[] = [];
    const exchange = { name: "hear", type: "fanout", durable: false } as const;
    await port.subscribe(exchange, "hear.me", "", ({ body }) => void heard.push(body.toString()));
    await port.publish(to("", "one", "hear"));
    await expect.poll(() => heard, POLL).toEqual(["one"]);
    await shared.ctl("close_all_connections", "--vhost", vhost, "test");
    await expect
      .poll(async () => {
        await port.publish(to("", "again", "hear")).catch(() => {});
        return heard.includes("again");
      }, POLL)
      .toBe(true);
  });
});
