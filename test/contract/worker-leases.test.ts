import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectRedis } from "../../worker/adapters/redis.ts";
import { type BeginRequest, LEASE_TIMES, type Lease, openLeases, recordKey } from "../../worker/leases/leases.ts";
import { openLocks } from "../../worker/leases/lock.ts";
import type { StorePort } from "../../worker/ports.ts";
import { systemClock } from "../../worker/system-clock.ts";
import { redis } from "../cluster/cluster.ts";

let store: StorePort;
beforeAll(async () => {
  store = connectRedis({ url: (await redis()).uri, name: "leases-test", onChange: () => {} });
});
afterAll(() => store[Symbol.asyncDispose]());

const long = (): ReturnType<typeof openLeases> => openLeases(store);
/** A lease that is over before the next call arrives. */
const brief = (): ReturnType<typeof openLeases> => openLeases(store, { times: { ...LEASE_TIMES, leaseMs: 0 } });
const request = (more: Partial<BeginRequest> = {}): BeginRequest => ({
  key: `test:${randomUUID()}`,
  owner: "a",
  fingerprint: "f",
  mode: "at-most-once",
  attempt: 0,
  taskId: "t",
  ...more,
});
const ending = (result = '{"status": "SUCCESS"}', out = "") => ({ result, out });
async function hold(leases: ReturnType<typeof openLeases>, asked: BeginRequest): Promise<Lease> {
  const begun = await leases.begin(asked);
  if (begun.kind !== "held") throw new Error(`not held: ${begun.kind}`);
  return begun.lease;
}

test("the first one runs, the second one is busy, and asking again with the same owner changes nothing", async () => {
  const asked = request();
  const lease = await hold(long(), asked);
  expect(lease.how).toBe("run");
  expect(await long().begin({ ...asked, owner: "b" })).toMatchObject({ kind: "busy" });
  expect(await hold(long(), asked)).toEqual(lease);
});

test("an expired lease is taken over with a greater fence, and the first owner can do nothing any more", async () => {
  const asked = request();
  const first = await hold(brief(), asked);
  const second = await hold(long(), { ...asked, owner: "b" });
  expect(second.how).toBe("takeover");
  expect(BigInt(second.fence)).toBeGreaterThan(BigInt(first.fence));
  expect(await long().renew(first)).toBe(false);
  expect(await long().effect(first)).toBe(false);
  expect(await long().commit(first, ending())).toBe(false);
  expect(await long().release(first, ending(), 1)).toBe(false);
  expect(await long().commit(second, ending())).toBe(true);
});

test.for([
  ["at-most-once", { kind: "stored", state: "UNKNOWN", result: "" }],
  ["at-least-once", { kind: "held", lease: { how: "in-doubt" } }],
] as const)("after a crash past the effect, %s answers honestly", async ([mode, want]) => {
  const asked = request({ mode });
  const short = openLeases(store, { times: { ...LEASE_TIMES, leaseMs: 100 } });
  expect(await short.effect(await hold(short, asked))).toBe(true);
  const ask = async () => {
    const begun = await long().begin({ ...asked, owner: "b" });
    return begun.kind === "busy" ? undefined : begun;
  };
  await expect.poll(ask).toMatchObject(want);
});

test("what is committed is repeated to everybody who asks, and a commit may be repeated", async () => {
  const asked = request();
  const lease = await hold(long(), asked);
  expect(await long().commit(lease, ending("R", "O"))).toBe(true);
  expect(await long().commit(lease, ending("R", "O"))).toBe(true);
  const stored = { kind: "stored", key: asked.key, fence: lease.fence, state: "DONE", result: "R", out: "O", taskId: "t" };
  expect(await long().begin({ ...asked, owner: "b", taskId: "u" })).toEqual(stored);
  await long().clear(asked.key, lease.fence);
  expect(await long().begin({ ...asked, owner: "c" })).toEqual({ ...stored, out: "" });
});

test("a killed one stays dead, and the same key with other arguments is a mismatch", async () => {
  const asked = request();
  await long().kill(await hold(long(), asked), ending("F"));
  expect(await long().begin(asked)).toMatchObject({ kind: "stored", state: "DEAD", result: "F" });
  expect(await long().begin({ ...asked, fingerprint: "other" })).toEqual({ kind: "mismatch", taskId: "t" });
});

test("after a release for a retry, the old attempt is stale and the next one runs", async () => {
  const asked = request();
  await long().release(await hold(long(), asked), ending("", "retry"), 1);
  expect(await long().begin({ ...asked, owner: "b" })).toMatchObject({ kind: "stale", out: "retry" });
  expect((await hold(long(), { ...asked, owner: "c", attempt: 1 })).how).toBe("run");
});

test("the record is gone after its time, and the fence still grows", async () => {
  const asked = request();
  const first = await hold(openLeases(store, { times: { ...LEASE_TIMES, recordTtlMs: 1 } }), asked);
  await expect.poll(() => store.command("EXISTS", recordKey(asked.key))).toBe(0);
  expect(BigInt((await hold(long(), asked)).fence)).toBeGreaterThan(BigInt(first.fence));
});

test("a stored SUCCESS is never overwritten, by whatever writes", async () => {
  const resultKey = `celery-task-meta-${randomUUID()}`;
  await long().store(resultKey, '{"status": "SUCCESS", "result": 1}');
  await long().store(resultKey, '{"status": "FAILURE"}');
  await long().kill(await hold(long(), request()), { ...ending('{"status": "FAILURE"}'), resultKey });
  expect(await store.command("GET", resultKey)).toBe('{"status": "SUCCESS", "result": 1}');
  expect(await store.command("TTL", resultKey)).toBeGreaterThan(86_000);
});

test("scripts survive SCRIPT FLUSH", async () => {
  await hold(long(), request());
  await store.command("SCRIPT", "FLUSH");
  expect((await hold(long(), request())).how).toBe("run");
});

test("a lock is held by one at a time, fences grow, and the lock of one who vanished goes on", async () => {
  await using locks = openLocks(store, "one", systemClock, Math.random);
  await using others = openLocks(store, "two", systemClock, Math.random);
  const name = randomUUID();
  const fences: bigint[] = [];
  let inside = 0;
  const work = (where: typeof locks): Promise<void> =>
    where.using(name, 5_000, async ({ fence }) => {
      expect((inside += 1)).toBe(1);
      fences.push(BigInt(fence));
      await new Promise((resolve) => void setImmediate(resolve));
      inside -= 1;
    });
  await Promise.all([work(locks), work(others), work(locks), work(others)]);
  expect(fences).toHaveLength(4);
  expect(fences.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(fences);
  await expect(locks.using(name, 5_000, () => Promise.reject(new Error("own")))).rejects.toThrow("own");
  await expect(others.using(name, 5_000, async () => "free again")).resolves.toBe("free again");
});

test("a semaphore has so many holders and no more; one who vanished frees its place, and who gives up waiting says so", async () => {
  await using locks = openLocks(store, "one", systemClock, Math.random);
  await using others = openLocks(store, "two", systemClock, Math.random);
  const name = randomUUID();
  const fences = new Set<string>();
  let inside = 0;
  let most = 0;
  const work = (where: typeof locks): Promise<void> =>
    where.limited(name, 3, 5_000, async ({ fence }) => {
      most = Math.max(most, (inside += 1));
      fences.add(fence);
      await new Promise((resolve) => void setTimeout(resolve, 10));
      inside -= 1;
    });
  await Promise.all(Array.from({ length: 12 }, (_, at) => work(at % 2 === 0 ? locks : others)));
  expect(most).toBe(3);
  expect(fences.size).toBe(12);
  // Three that vanished: their leases end by themselves.
  const key = `longshore:semaphore:{${name}}`;
  for (const gone of ["a", "b", "c"]) await store.command("ZADD", key, Date.now() + 300, gone);
  await expect(locks.limited(name, 3, 5_000, async () => "after them")).resolves.toBe("after them");
  const never = Promise.withResolvers<void>();
  const holding = Array.from({ length: 3 }, () => locks.limited(name, 3, 5_000, () => never.promise));
  await expect.poll(() => store.command("ZCARD", key), { timeout: 10_000 }).toBe(3);
  await expect(others.limited(name, 3, 5_000, async () => {}, AbortSignal.timeout(50))).rejects.toThrow(/timeout/);
  never.resolve();
  await Promise.all(holding);
});

test("a place or lock whose lease was lost aborts its signal", async () => {
  await using locks = openLocks(store, "one", systemClock, Math.random);
  const name = randomUUID();
  const untilLost = ({ signal }: { signal: AbortSignal }): Promise<unknown> =>
    new Promise((resolve) => signal.addEventListener("abort", () => resolve(signal.reason)));
  const lost = [locks.limited(name, 1, 3_000, untilLost), locks.using(name, 3_000, untilLost)];
  const keys = [`longshore:semaphore:{${name}}`, `longshore:lock:{${name}}`];
  await expect.poll(() => store.command("EXISTS", ...keys), { timeout: 10_000 }).toBe(2);
  await store.command("DEL", ...keys);
  expect(await Promise.all(lost)).toMatchObject([{ name: "LeaseLost" }, { name: "LeaseLost" }]);
});

test("many callers in one moment each get their own answer, and what fails for one fails for it alone", async () => {
  const leases = long();
  const keys = Array.from({ length: 150 }, () => randomUUID());
  await store.command("SET", recordKey(keys[7] ?? ""), "not a record");
  const begun = await Promise.allSettled(
    keys.map((key) => leases.begin({ key, owner: key, fingerprint: "", mode: "at-most-once", attempt: 0, taskId: key })),
  );
  expect(begun[7]).toMatchObject({ status: "rejected", reason: { message: expect.stringContaining("WRONGTYPE") } });
  const held = begun.flatMap((one) => (one.status === "fulfilled" && one.value.kind === "held" ? [one.value.lease.key] : []));
  expect(held).toEqual(keys.filter((_, at) => at !== 7));
});
