import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { createStore } from "../../operator/adapters/redis/store.ts";
import { redis, startRedis } from "../cluster/cluster.ts";

test("a probe tells the version and whether keys may be evicted", async () => {
  await using store = createStore({ uri: (await redis()).uri });
  expect(await store.probe()).toEqual({ version: expect.stringMatching(/^\d+\.\d+/), evictionPolicy: "noeviction", clustered: false });
});

test("many hashes come in one round trip, in order; those that are not there are empty", async () => {
  const { uri } = await redis();
  const client = new Redis(uri);
  const [one, other] = [`test:${randomUUID()}`, `test:${randomUUID()}`];
  await client.hset(one, { a: "1", b: "2" });
  await client.hset(other, { c: "3" });
  await using store = createStore({ uri });
  expect(await store.readHashes([one, "test:none", other])).toEqual([{ a: "1", b: "2" }, {}, { c: "3" }]);
  expect(await store.readHashes([])).toEqual([]);
  await client.del(one, other);
  client.disconnect();
});

test("a wrong password is told from an outage, and neither shows the login", async () => {
  const { uri, password } = await redis();
  await using refused = createStore({ uri: uri.replace(password, "wrong-password") });
  const error: unknown = await refused.probe().catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: "StoreError", failure: "StoreRefusedLogin" });
  expect(String(error)).not.toContain("wrong-password");
  await using nowhere = createStore({ uri: "redis://:secret@127.0.0.1:1/0" });
  const lost: unknown = await nowhere.probe().catch((thrown: unknown) => thrown);
  expect(lost).toMatchObject({ failure: "StoreUnreachable", message: expect.stringContaining("ECONNREFUSED") });
  expect(String(lost)).not.toContain("secret");
});

test("through Sentinels the primary is found, and a node of a cluster says that it is one", async () => {
  await using primary = await startRedis({ name: "store-primary" });
  const config = `sentinel monitor main 127.0.0.1 ${primary.port} 1\nsentinel auth-pass main ${primary.password}`;
  await using watcher = await startRedis({ name: "store-sentinel", sentinel: true, config });
  await using node = await startRedis({ name: "store-node", config: "cluster-enabled yes" });
  const uri = `sentinel://:${primary.password}@127.0.0.1:${watcher.port}/main/3?sentinelPassword=${watcher.password}`;
  await using found = createStore({ uri, timeoutMs: 20_000 });
  expect(await found.probe()).toMatchObject({ evictionPolicy: "noeviction", clustered: false });
  const client = new Redis(primary.uri.replace(/0$/, "3"));
  await client.hset("k", { a: "1" });
  expect(await found.readHashes(["k"])).toEqual([{ a: "1" }]);
  client.disconnect();
  await using clustered = createStore({ uri: node.uri });
  expect(await clustered.probe()).toMatchObject({ clustered: true });
});

test("after an outage the same store answers again", async () => {
  await using own = await startRedis({ name: "store-outage" });
  await using store = createStore({ uri: own.uri });
  expect(await store.readHashes(["k"])).toEqual([{}]);
  await own.stop();
  await expect(store.readHashes(["k"])).rejects.toMatchObject({ failure: "StoreUnreachable" });
  await own.start();
  await expect.poll(() => store.readHashes(["k"]).catch(() => "down"), { timeout: 30_000 }).toEqual([{}]);
});
