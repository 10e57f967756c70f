import { randomUUID } from "node:crypto";
import { type Channel, type ChannelModel, connect } from "amqplib";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openSensing } from "../../operator/adapters/rabbitmq/sensing.ts";
import type { BrokerLink } from "../../operator/autoscale/sense/broker-sensor.ts";
import { type BrokerVersion, broker, startBroker } from "../cluster/cluster.ts";
import { endpointOfBroker } from "./broker-endpoint.ts";

/** A look ends after two seconds: on a busy machine the next one is answered. */
async function patiently<T>(look: () => Promise<T>): Promise<T> {
  return await vi.waitFor(look, { timeout: 60_000, interval: 100 });
}

const VERSIONS: readonly BrokerVersion[] = ["3.10", "4.0", "4.3"];

describe.each(VERSIONS)("sensing RabbitMQ %s", (version) => {
  const prefix = `sense-${randomUUID()}`;
  const [classic, quorum, gone] = [`${prefix}.classic`, `${prefix}.quorum`, `${prefix}.gone`];
  let link: BrokerLink;
  let model: ChannelModel;
  let channel: Channel;

  beforeAll(async () => {
    const of = await broker(version);
    model = await connect(of.uri);
    channel = await model.createConfirmChannel();
    await channel.assertQueue(classic, { durable: true });
    await channel.assertQueue(quorum, { durable: true, arguments: { "x-queue-type": "quorum" } });
    link = openSensing(endpointOfBroker(of), { random: () => 0.5 });
  });
  afterAll(async () => {
    await link[Symbol.asyncDispose]();
    for (const queue of [classic, quorum]) await channel.deleteQueue(queue);
    await model.close();
  });

  const publish = async (queue: string, count: number): Promise<void> => {
    const confirms = await model.createConfirmChannel();
    for (let sent = 0; sent < count; sent++) confirms.sendToQueue(queue, Buffer.from("x"), { persistent: true });
    await confirms.waitForConfirms();
    await confirms.close();
  };

  test("a count is there as soon as the broker has confirmed the messages", async () => {
    await publish(classic, 3);
    await publish(quorum, 4);
    const counts = await patiently(() => link.sense.readyCounts([classic, quorum]));
    expect(counts.get(classic)).toEqual({ ready: 3, consumers: 0 });
    expect(counts.get(quorum)).toEqual({ ready: 4, consumers: 0 });
  });

  test("missing queues cost neither the connection nor the others' answers", async () => {
    const missing = Array.from({ length: 30 }, (_, index) => `${gone}.${index}`);
    const queues = [...missing.slice(0, 15), classic, ...missing.slice(15), quorum];
    for (let look = 0; look < 3; look++) {
      const counts = await patiently(() => link.sense.readyCounts(queues));
      expect(counts.get(classic)).toMatchObject({ ready: 3 });
      expect(counts.get(quorum)).toMatchObject({ ready: 4 });
      expect(missing.every((queue) => "missing" in (counts.get(queue) ?? {}))).toBe(true);
    }
  });

  test("an exclusive queue of somebody else is refused with words, and the rest is counted", async () => {
    const { queue } = await channel.assertQueue("", { exclusive: true });
    const counts = await patiently(() => link.sense.readyCounts([queue, classic]));
    expect(counts.get(queue)).toMatchObject({ refused: expect.stringContaining("exclusive") });
    expect(counts.get(classic)).toMatchObject({ ready: 3 });
  });

  test("consumers are counted, and what they hold is not ready", async () => {
    const { consumerTag } = await channel.consume(quorum, () => undefined);
    await expect
      .poll(() => link.sense.readyCounts([quorum]).then((counts) => counts.get(quorum)), { timeout: 30_000 })
      .toEqual({ ready: 0, consumers: 1 });
    await channel.cancel(consumerTag);
    channel.nackAll();
  });

  test("the totals of all queues come in one request, with their types", async () => {
    const deadline = { timeout: 30_000, interval: 500 };
    await expect
      .poll(async () => (await link.sense.totals()).queues.get(quorum), deadline)
      .toEqual({ ready: 4, unacked: 0, type: "quorum" });
    const mine = await channel.assertQueue("", { exclusive: true });
    const { queues, names } = await link.sense.totals();
    expect(queues.get(classic)).toEqual({ ready: 3, unacked: 0, type: "classic" });
    expect(names).toEqual(expect.arrayContaining([classic, quorum]));
    expect(names).not.toContain(mine.queue);
  });

  test("what a peer holds is found by its address", async () => {
    const holding = await model.createChannel();
    const got = await holding.get(classic);
    const peers = () => link.sense.unackedByPeer();
    await expect.poll(async () => (await peers()).get("127.0.0.1") ?? 0, { timeout: 30_000, interval: 500 }).toBeGreaterThan(0);
    if (got !== false) holding.nack(got);
    await holding.close();
  });

  test("a broker in peace has no alarms", async () => {
    expect(await link.sense.alarms()).toEqual([]);
  });
});

test("without the management API the totals and alarms come from Prometheus, and a user without rights is told", async () => {
  await using own = await startBroker({ version: "4.0", name: "sense-plain" });
  const model = await connect(own.uri);
  const channel = await model.createConfirmChannel();
  await channel.assertQueue("jobs", { durable: true, arguments: { "x-queue-type": "quorum" } });
  channel.sendToQueue("jobs", Buffer.from("x"), { persistent: true });
  await channel.waitForConfirms();
  await own.ctl("add_user", "reader", "secret");
  await own.ctl("set_permissions", "reader", "", "", "^jobs$");
  const endpoint = endpointOfBroker(own);
  const login = { username: "reader", password: "secret" };
  const reader = { ...endpoint, ...login, management: { ...endpoint.management, ...login } };
  {
    // No tag at all: the management API is closed to this user.
    await using link = openSensing(reader, { random: () => 0.5 });
    expect((await patiently(() => link.sense.readyCounts(["jobs"]))).get("jobs")).toMatchObject({ ready: 1 });
    await expect
      .poll(async () => (await link.sense.totals()).queues.get("jobs"), { timeout: 30_000 })
      .toEqual({ ready: 1, unacked: 0, type: "other" });
    expect((await link.sense.totals()).names, "a node's own metrics leave queues out").toBeUndefined();
    expect(await link.sense.alarms()).toEqual([]);
  }
  await own.ctl("set_user_tags", "reader", "management");
  {
    // The tag management is enough for both.
    await using link = openSensing({ ...reader, prometheusUrl: "http://127.0.0.1:1" }, { random: () => 0.5 });
    await expect
      .poll(async () => (await link.sense.totals()).queues.get("jobs"), { timeout: 30_000 })
      .toEqual({ ready: 1, unacked: 0, type: "quorum" });
    expect(await link.sense.alarms()).toEqual([]);
  }
  await own.ctl("set_permissions", "reader", "", "", "");
  await using blind = openSensing(reader, { random: () => 0.5 });
  // A broker of 2026 and later refuses; before that anybody who may enter the vhost may look.
  const seen = (await patiently(() => blind.sense.readyCounts(["jobs"]))).get("jobs");
  expect(seen).toMatchObject("refused" in (seen ?? {}) ? { refused: expect.stringContaining("permission on jobs") } : { ready: 1 });
  await model.close();
});

test("an alarm is seen, and after an outage the same link counts again", async () => {
  await using own = await startBroker({ version: "4.0", name: "sense" });
  const model = await connect(own.uri);
  const channel = await model.createConfirmChannel();
  await channel.assertQueue("jobs", { durable: true, arguments: { "x-queue-type": "quorum" } });
  channel.sendToQueue("jobs", Buffer.from("x"), { persistent: true });
  await channel.waitForConfirms();
  await using link = openSensing(endpointOfBroker(own), { random: () => 0.5 });
  const ready = async () => (await link.sense.readyCounts(["jobs"])).get("jobs");
  expect(await patiently(ready)).toMatchObject({ ready: 1 });

  await own.ctl("set_vm_memory_high_watermark", "0.000001");
  await expect.poll(() => link.sense.alarms(), { timeout: 30_000 }).toEqual([expect.stringContaining("memory alarm on")]);
  await own.ctl("set_vm_memory_high_watermark", "0.6");

  const lost = new Promise((resolve) => model.once("close", resolve));
  model.on("error", () => undefined);
  await own.stop();
  await lost;
  await expect(ready()).rejects.toThrow("cannot");
  await own.start();
  // Answers again by itself; the quorum queue needs a moment to elect its leader, and reads 0 until then.
  await expect.poll(() => ready().catch(() => undefined), { timeout: 30_000 }).toMatchObject({ ready: 1 });
});
