import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { type Channel, type ChannelModel, connect } from "amqplib";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openSensing } from "../../operator/adapters/rabbitmq/sensing.ts";
import { askWorkers } from "../../operator/autoscale/sense/answers.ts";
import type { BrokerLink } from "../../operator/autoscale/sense/broker-sensor.ts";
import type { CeleryBeat } from "../../operator/autoscale/sense/celery-beats.ts";
import { type BrokerVersion, broker, python } from "../cluster/cluster.ts";
import { endpointOfBroker } from "./broker-endpoint.ts";

const VERSIONS: readonly BrokerVersion[] = ["4.0", "4.3"];

describe.each(VERSIONS)("remote control of a Python Celery worker on RabbitMQ %s", (version) => {
  const pod = `pod-${randomUUID()}`;
  const node = `celery@${pod}`;
  const queue = `control-${randomUUID()}`;
  let link: BrokerLink;
  let model: ChannelModel;
  let channel: Channel;
  let worker: ChildProcess;

  const work = () => askWorkers(link.control, [pod], () => performance.now()).then((answers) => answers.get(pod)?.value);

  beforeAll(async () => {
    const of = await broker(version);
    model = await connect(of.uri);
    channel = await model.createChannel();
    link = openSensing(endpointOfBroker(of), { random: () => 0.5 });
    const { bin } = await python("5.6");
    const options = ["-A", "control_app", "worker", "-n", node, "-c", "1", "--without-gossip", "--without-mingle", "-l", "error"];
    worker = spawn(join(bin, "celery"), options, {
      cwd: import.meta.dirname,
      env: { ...process.env, CONTROL_BROKER: of.uri, CONTROL_QUEUE: queue, PYTHONDONTWRITEBYTECODE: "1" },
      stdio: "ignore",
    });
    await vi.waitFor(async () => expect(await work()).toBeDefined(), { timeout: 60_000, interval: 500 });
  });
  afterAll(async () => {
    const ended = once(worker, "exit");
    worker.kill("SIGTERM");
    await ended;
    await link[Symbol.asyncDispose]();
    await channel.deleteQueue(queue);
    await model.close();
  });

  const send = (seconds: number): void => {
    const id = randomUUID();
    const headers = { lang: "py", task: "control.wait", id, root_id: id, parent_id: null, group: null };
    const body = [[seconds], {}, { callbacks: null, errbacks: null, chain: null, chord: null }];
    const options = { contentType: "application/json", contentEncoding: "utf-8", correlationId: id, headers };
    channel.sendToQueue(queue, Buffer.from(JSON.stringify(body)), options);
  };

  test("what it runs, holds and consumes is told", async () => {
    expect(await work()).toEqual({ busy: 0, unacked: 0, consuming: [queue] });
    send(4);
    await expect.poll(work).toMatchObject({ busy: 1, unacked: 1 });
  });

  test("a cordon lets it finish and take nothing new, and its end lets it go on", async () => {
    const cancelled = await link.control.ask("cancel_consumer", { queue }, [node], 1_000);
    expect(cancelled.get(node)).toMatchObject({ ok: expect.any(String) });
    send(0);
    await expect.poll(work, { timeout: 30_000 }).toEqual({ busy: 0, unacked: 0, consuming: [] });
    expect((await link.sense.readyCounts([queue])).get(queue)).toEqual({ ready: 1, consumers: 0 });
    const added = await link.control.ask("add_consumer", { queue }, [node], 1_000);
    expect(added.get(node)).toMatchObject({ ok: expect.any(String) });
    await expect.poll(async () => (await link.sense.readyCounts([queue])).get(queue)).toEqual({ ready: 0, consumers: 1 });
  });

  test("its own heartbeats tell what runs and what was done, without being asked", async () => {
    const beats: CeleryBeat[] = [];
    link.celery?.listen((beat) => {
      if (beat.node === node) beats.push(beat);
    });
    await expect.poll(() => beats.at(-1), { timeout: 30_000 }).toMatchObject({ active: 0 });
    const before = beats.at(-1)?.processed ?? 0;
    send(5);
    await expect.poll(() => beats.at(-1), { timeout: 30_000 }).toMatchObject({ active: 1, processed: before + 1 });
    await expect.poll(() => beats.at(-1), { timeout: 30_000 }).toMatchObject({ active: 0, processed: before + 1 });
    expect(new Set(beats.map(({ pid }) => pid)).size).toBe(1);
  });

  test("a node that does not answer is absent when the time is over, and the others' answers are there", async () => {
    const answers = await link.control.ask("ping", {}, [node, "celery@nobody"], 500);
    expect([...answers]).toEqual([[node, { ok: "pong" }]]);
    expect(await link.control.ask("ping", {}, [], 500)).toEqual(new Map());
  });
});
