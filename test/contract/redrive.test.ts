import { type ConfirmChannel, connect } from "amqplib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { redrive } from "../../operator/cli/redrive.ts";
import { broker } from "../cluster/cluster.ts";

const vhost = `redrive-${process.pid}`;
let url: string;
let channel: ConfirmChannel;
let close: () => Promise<void>;
beforeAll(async () => {
  const shared = await broker("4.0");
  await shared.ctl("add_vhost", vhost);
  await shared.ctl("set_permissions", "-p", vhost, shared.username, ".*", ".*", ".*");
  url = `${shared.uri.replace(/\/$/, "")}/${vhost}`;
  const model = await connect(url);
  channel = await model.createConfirmChannel();
  close = async () => {
    await model.close();
    await shared.ctl("delete_vhost", vhost);
  };
  const dead = { "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead" };
  await channel.assertQueue("work", { durable: true, arguments: { "x-queue-type": "quorum", ...dead } });
  await channel.assertQueue("dead", { durable: true, arguments: { "x-queue-type": "quorum" } });
});
afterAll(() => close());

const ready = async (queue: string): Promise<number> => (await channel.checkQueue(queue)).messageCount;
const run = async (...args: readonly string[]): Promise<string> => {
  let text = "";
  await redrive(["--queue", "dead", ...args], { CELERY_BROKER_URL: url }, (part) => void (text += part));
  return text;
};

test("dead letters of the broker and of workers go back, by filter, and a dry run changes nothing", async () => {
  for (const task of ["a.one", "a.two", "b.three"])
    channel.publish("", "work", Buffer.from("[]"), { headers: { task, id: task }, priority: 3 });
  const headers = { task: "a.four", id: "a.four", "longshore-death-queue": "gone", "longshore-death-time": new Date().toISOString() };
  channel.publish("", "dead", Buffer.from("[]"), { headers });
  await channel.waitForConfirms();
  for (let at = 0; at < 3; at += 1) {
    const message = await channel.get("work");
    if (message !== false) channel.reject(message, false);
  }
  await expect.poll(() => ready("dead"), { timeout: 30_000 }).toBe(4);

  expect(await run("--task", "b.*", "--dry-run")).toContain("would send b.three b.three to work  (rejected)\n1 would be moved, 3 stay");
  await expect.poll(() => ready("dead"), { timeout: 30_000 }).toBe(4);

  expect(await run("--reason", "rejected", "--limit", "2")).toContain("2 moved");
  await expect.poll(() => ready("work"), { timeout: 30_000 }).toBe(2);
  const back = await channel.get("work", { noAck: true });
  expect(back).toMatchObject({ properties: { priority: 3, headers: { "longshore-redriven": 1 } } });
  expect(back !== false && back.properties.headers).not.toHaveProperty("x-death");

  await expect(run("--task", "a.four")).rejects.toThrow("queue gone does not exist on the broker; name another with --to");
  await expect.poll(() => ready("dead"), { timeout: 30_000 }).toBe(2);
  expect(await run("--task", "a.four", "--to", "work")).toContain("1 moved, 1 stay");
});

test("what is missing or wrong is named", async () => {
  await expect(redrive([], {}, () => {})).rejects.toThrow("--queue: not given");
  await expect(redrive(["--queue", "dead"], {}, () => {})).rejects.toThrow("CELERY_BROKER_URL: not set");
  await expect(run("--limit", "many")).rejects.toThrow("--limit: found many");
  await expect(redrive(["--queue", "nowhere"], { CELERY_BROKER_URL: url }, () => {})).rejects.toThrow(/no queue 'nowhere'/);
});
