import { afterAll, beforeAll, expect, test } from "vitest";
import { redis, startRedis } from "../cluster/cluster.ts";
import { type Lab, openLab, untilReady } from "./worker-process.ts";

let lab: Lab;
beforeAll(async () => {
  lab = await openLab("worker-store", 11);
  for (const queue of ["q", "evicting"]) await lab.declare(queue);
});
afterAll(() => lab[Symbol.asyncDispose]());

test("a Redis that may evict is warned of in the log, by readiness, in the metrics and by inspect stats", async () => {
  await using store = await startRedis({ name: "worker-evicting", config: "maxmemory 100mb\nmaxmemory-policy allkeys-lru" });
  const worker = await lab.worker({ queues: "evicting", pod: "evicting", env: { CELERY_RESULT_BACKEND: store.uri } });
  await untilReady(worker);
  const get = async (path: string): Promise<string> => await (await fetch(`http://127.0.0.1:${worker.httpPort}${path}`)).text();
  await expect.poll(() => get("/readyz"), { timeout: 30_000 }).toMatch(/^ok\nwarning: the store's maxmemory-policy is allkeys-lru/);
  expect(await get("/metrics")).toContain("longshore_worker_store_may_evict 1");
  expect(worker.output()).toContain("leases are not safe in this store");
  const stats = () => lab.python('result = app.control.inspect(destination=["celery@evicting"], timeout=5).stats()');
  await expect
    .poll(stats, { timeout: 30_000 })
    .toMatchObject({ "celery@evicting": { store: { warning: expect.stringContaining("set maxmemory-policy noeviction") } } });
  expect(worker.output()).not.toContain(store.password);
  await worker[Symbol.asyncDispose]();
});

test("a node of a Redis Cluster is refused, with what to give instead", async () => {
  await using node = await startRedis({ name: "worker-node", config: "cluster-enabled yes" });
  const worker = await lab.worker({ queues: "q", env: { CELERY_RESULT_BACKEND: node.uri } });
  expect(await worker.exit).toBe(78);
  expect(worker.output()).toContain("found a node of a Redis Cluster, expected one Redis or Sentinels");
});

test("results are where Sentinels say that the primary is", async () => {
  const primary = await redis();
  const config = `sentinel monitor main 127.0.0.1 ${primary.port} 1\nsentinel auth-pass main ${primary.password}`;
  await using sentinel = await startRedis({ name: "worker-sentinel", sentinel: true, config });
  const url = `sentinel://:${primary.password}@127.0.0.1:${sentinel.port}/main/11?sentinelPassword=${sentinel.password}`;
  const worker = await lab.worker({ queues: "q", env: { CELERY_RESULT_BACKEND: url } });
  await untilReady(worker);
  expect(await lab.python('result = outcome(app.send_task("longshore.echo", (7,)))')).toEqual(["ok", 7]);
  const shown = (await fetch(`http://127.0.0.1:${worker.httpPort}/readyz`)).text();
  expect(await shown).toBe("ok\n");
});
