import { randomUUID } from "node:crypto";
import { connect } from "amqplib";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { openPublishing } from "../../operator/adapters/rabbitmq/publish.ts";
import { openRecords } from "../../operator/adapters/redis/records.ts";
import type { Publication } from "../../operator/schedules/ports.ts";
import { broker, redis } from "../cluster/cluster.ts";
import { endpointOfBroker } from "./broker-endpoint.ts";

const message = (routingKey: string, exchange = ""): Publication => {
  const id = randomUUID();
  return { exchange, routingKey, body: Buffer.from("[]"), correlationId: id, headers: { id }, priority: 0 };
};

test("a claim keeps others away until it is settled, or has ended; who comes late writes nothing", async () => {
  const { uri } = await redis();
  await using records = openRecords({ uri });
  const uid = randomUUID();
  const claim = async (owner: string, cursor: string, ms = 60_000) => (await records.claim([{ uid, cursor }], owner, ms))[0];
  const settle = async (fence: string, cursor: string) => (await records.settle([{ uid, fence, fields: { cursor } }]))[0];

  expect(await records.read([uid])).toEqual([{}]);
  const first = await claim("a", "");
  expect(first).toEqual({ held: expect.stringMatching(/^\d+$/) });
  expect(await claim("b", "")).toEqual({ busy: expect.any(Number) });
  const again = await claim("a", "");
  const [oldFence, fence] = [first, again].map((one) => (one !== undefined && "held" in one ? one.held : ""));
  expect(Number(fence)).toBeGreaterThan(Number(oldFence));
  expect(await settle(oldFence ?? "", "1")).toBe(false);
  expect(await settle(fence ?? "", "2")).toBe(true);
  expect(await settle(fence ?? "", "2")).toBe(true);
  expect((await records.read([uid]))[0]).toMatchObject({ cursor: "2" });
  expect(await claim("b", "")).toEqual({ moved: true });
  await claim("b", "2", 1);
  await expect.poll(() => claim("a", "2")).toEqual({ held: expect.any(String) });
  await records.forget(uid);
  expect(await records.read([uid])).toEqual([{}]);
});

test("many claims at once are answered one by one, in their order", async () => {
  const { uri } = await redis();
  await using records = openRecords({ uri });
  const uids = Array.from({ length: 60 }, () => randomUUID());
  const [taken = "", moved = "", ...free] = uids;
  await records.claim([{ uid: taken, cursor: "" }], "b", 60_000);
  const answers = await records.claim(
    uids.map((uid) => ({ uid, cursor: uid === moved ? "5" : "" })),
    "a",
    60_000,
  );
  const wanted = [{ busy: expect.any(Number) as number }, { moved: true }, ...free.map(() => ({ held: expect.any(String) as string }))];
  expect(answers).toEqual(wanted);
  const fences = answers.map((answer) => ("held" in answer ? answer.held : "0"));
  const settled = await records.settle(
    uids.map((uid, at) => ({ uid, fence: fences[at] ?? "", fields: at % 2 === 0 ? {} : { cursor: String(at) } })),
  );
  expect(settled).toEqual([false, false, ...free.map(() => true)]);
  const cursors = (await records.read(uids)).map(({ cursor = "" }) => cursor);
  expect(cursors).toEqual(uids.map((_, at) => (at > 1 && at % 2 === 1 ? String(at) : "")));
  await Promise.all(uids.map((uid) => records.forget(uid)));
});

test("how a run stands is read from its result, else from its lease", async () => {
  const { uri } = await redis();
  const client = new Redis(uri);
  await using records = openRecords({ uri });
  const ids = Array.from({ length: 5 }, () => randomUUID());
  const [done = "", retrying = "", running = "", quiet = ""] = ids;
  await client.setex(`celery-task-meta-${done}`, 60, '{"status": "FAILURE", "result": null}');
  await client.setex(`celery-task-meta-${retrying}`, 60, '{"status":"RETRY"}');
  for (const [id, st] of [
    [running, "RUN"],
    [quiet, "DONE"],
  ] as const) {
    await client.hset(`longshore:idem:{task:${id}}`, { st });
    await client.expire(`longshore:idem:{task:${id}}`, 60);
  }
  expect(await records.runs(ids)).toEqual([
    { state: "FAILURE", over: true },
    { state: "RETRY", over: false },
    { state: "Running", over: false },
    { state: "SUCCESS", over: true },
    undefined,
  ]);
  client.disconnect();
});

test("a message is confirmed, or says what is missing; one that is refused does not take the others with it for good", async () => {
  const shared = await broker();
  await using publishing = openPublishing(endpointOfBroker(shared), { random: Math.random });
  const model = await connect(shared.uri);
  const channel = await model.createChannel();
  const { queue } = await channel.assertQueue("", { exclusive: true });
  expect(await publishing.ready(60_000)).toBe(true);
  await using nowhere = openPublishing({ ...endpointOfBroker(shared), port: 1 }, { random: Math.random });
  expect(await nowhere.ready(1)).toBe(false);
  const good = message(queue);
  await publishing.publish(good);
  await expect
    .poll(async () => (await channel.get(queue, { noAck: true })) || undefined)
    .toMatchObject({
      properties: {
        correlationId: good.correlationId,
        deliveryMode: 2,
        contentType: "application/json",
        headers: { id: good.correlationId },
      },
    });
  await expect(publishing.publish(message(`no-${queue}`))).rejects.toMatchObject({
    failure: "missing",
    message: expect.stringContaining(`no-${queue}`),
  });
  await expect(publishing.publish(message("key", `no-${queue}`))).rejects.toMatchObject({ failure: "missing" });
  await publishing.publish(message(queue));
  await publishing.revoke("some-task");
  await model.close();
});
