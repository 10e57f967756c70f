import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openStage, type Stage, type StagedPool } from "./scaling-stage.ts";

/**
 * Each fault, on real parts: no size changes while it lasts, the condition names the cause, and growth that was due comes within 5 s of its end.
 * The faults last some 20 s and the pools have no windows and no cooldown: that is longer than everything the autoscaler remembers, and nothing
 * but its distrust keeps it from shrinking.
 */
let stage: Stage;
beforeAll(async () => {
  stage = await openStage("scaling-faults");
}, 240_000);
afterAll(async () => await stage?.[Symbol.asyncDispose]());

const RECOVERY_MS = 5_000;
const soon = (ms = 15_000) => ({ timeout: ms, interval: 50 });

/** A pool of five replicas for fifty messages. */
async function five(name: string): Promise<StagedPool> {
  const pool = await stage.pool(name);
  await pool.publish(50);
  await expect.poll(() => pool.sizes().at(-1), soon(20_000)).toBe(5);
  return pool;
}

/** Nothing moved since it was five; from now on it must follow within 5 s. */
async function follows(pool: StagedPool, size: number): Promise<void> {
  expect(pool.sizes().at(-1)).toBe(5);
  expect(pool.sizes().slice(pool.sizes().indexOf(5))).toEqual([5]);
  await expect.poll(() => pool.sizes().at(-1), soon(RECOVERY_MS)).toBe(size);
}

const told = async (pool: StagedPool, reason: string, says: string | RegExp): Promise<void> => {
  await expect.poll(() => pool.status(), soon(30_000)).toMatchObject({ reason, message: expect.stringMatching(says) });
};

test("the broker is stopped", async () => {
  const pool = await five("stopped");
  await stage.broker.stop();
  await told(pool, "BacklogStale", /the broker cannot be read: .*ECONNREFUSED/);
  await sleep(20_000);
  expect((await pool.status()).reason).toBe("BacklogStale");
  await stage.broker.start();
  await pool.publish(20);
  await follows(pool, 7);
});

test("a quorum leader stalls and reads 0", async () => {
  const pool = await five("stalled");
  // So long that the broker's totals have the true count.
  await sleep(8_000);
  await stage.broker.ctl("eval", "sys:suspend('%2F_stalled').");
  await told(pool, "BacklogContradicted", /reads 0, but the broker's totals say 50 ready/);
  await sleep(12_000);
  await stage.broker.ctl("eval", "sys:resume('%2F_stalled').");
  await pool.publish(20);
  await follows(pool, 7);
});

test("the queue is deleted and made anew", async () => {
  const pool = await five("deleted");
  await pool.drop();
  await told(pool, "QueueMissing", "queue deleted does not exist on the broker");
  await sleep(10_000);
  await pool.declare();
  await pool.publish(70);
  await follows(pool, 7);
});

test("the credentials are rotated", async () => {
  const pool = await five("rotated");
  const { broker } = stage;
  await broker.ctl("add_user", "second", "first-password");
  await broker.ctl("set_user_tags", "second", "administrator");
  await broker.ctl("set_permissions", "second", ".*", ".*", ".*");
  const uri = (password: string) => broker.uri.replace(/\/\/.*@/, `//second:${password}@`);
  await stage.lead(uri("first-password"));
  await sleep(6_000);
  await broker.ctl("change_password", "second", "other-password");
  await broker.ctl("close_all_user_connections", "second", "rotated");
  await told(pool, "BacklogStale", /ACCESS_REFUSED|refused/);
  expect((await pool.status()).message).not.toContain("password@");
  await sleep(10_000);
  await pool.publish(20);
  expect(pool.sizes().at(-1)).toBe(5);
  await stage.lead(uri("other-password"));
  await follows(pool, 7);
  await stage.lead(broker.uri);
});

test("a memory alarm", async () => {
  const pool = await five("alarmed");
  await stage.broker.ctl("set_vm_memory_high_watermark", "0.000001");
  await told(pool, "BrokerAlarm", "memory alarm");
  await pool.purge();
  // Until replicas without a pod may be given up: only the hold keeps them.
  await sleep(16_000);
  expect(pool.sizes().at(-1)).toBe(5);
  await stage.broker.ctl("set_vm_memory_high_watermark", "0.6");
  await follows(pool, 0);
});

test("the management plugin is off: a zero without a second witness is not believed", async () => {
  const pool = await five("unmanaged");
  await stage.broker.ctl("eval", "application:stop(rabbitmq_management).");
  await pool.purge();
  await told(pool, "ZeroUnconfirmed", /management API cannot be read/);
  // Until replicas without a pod may be given up: only the hold keeps them.
  await sleep(16_000);
  expect(pool.sizes().at(-1)).toBe(5);
  await stage.broker.ctl("eval", "application:start(rabbitmq_management).");
  await follows(pool, 0);
});

test("the management plugin is off, and Prometheus is the second witness", async () => {
  const { broker, lead } = stage;
  await lead(broker.uri, { prometheusUrl: broker.prometheusUri.replace(/\/metrics$/, "") });
  const pool = await five("scraped");
  await broker.ctl("eval", "application:stop(rabbitmq_management).");
  await pool.purge();
  await expect.poll(() => pool.sizes().at(-1), soon(20_000)).toBe(0);
  await broker.ctl("eval", "application:start(rabbitmq_management).");
  await lead(broker.uri);
});

test("the API server answers 429 and 503", async () => {
  const pool = await five("refused");
  for (const status of [429, 503]) {
    stage.proxy.refuse(status);
    if (status === 429) await pool.publish(20);
    await sleep(20_000);
  }
  expect(pool.sizes().at(-1)).toBe(5);
  stage.proxy.mend();
  await follows(pool, 7);
});
