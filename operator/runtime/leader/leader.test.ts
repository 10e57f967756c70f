import { expect, test } from "vitest";
import { createFakeClock, type FakeClock, settled } from "../../../test/fakes/clock.ts";
import { createFakeKube, type FakeKube } from "../../../test/fakes/kube.ts";
import { createRecordingLog } from "../../../test/fakes/log.ts";
import { KubeError } from "../kube-error.ts";
import { runElection } from "./leader.ts";
import { LEASES, type Lease, readLease } from "./lease.ts";

/** One candidate; `events` says what it did, with the time in seconds. */
function candidate(
  kube: FakeKube,
  clock: FakeClock,
  identity: string,
  events: string[],
  lead?: (signal: AbortSignal) => Promise<void>,
  times: { readonly lookMs?: number } = {},
) {
  const stop = new AbortController();
  const say = (what: string) => void events.push(`${clock.elapsed() / 1_000} ${identity} ${what}`);
  const untilAborted = (signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      say("leads");
      signal.addEventListener("abort", () => {
        say("stops");
        resolve();
      });
    });
  const shared = { kube, clock, random: () => 0, log: createRecordingLog(), namespace: "system", name: "lease" };
  const running = runElection({ ...shared, ...times, identity, lead: lead ?? untilAborted }, stop.signal);
  return { stop, running, held: running.catch((error: unknown) => String(error)) };
}

const holder = async (kube: FakeKube) => readLease((await kube.get<Lease>(LEASES, "system", "lease")) ?? unheld).holderIdentity;
const unheld: Lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: "lease", namespace: "system" } };

function setup() {
  return { kube: createFakeKube(), clock: createFakeClock(), events: new Array<string>() };
}

test("of two candidates one leads, and goes on leading", async () => {
  const { kube, clock, events } = setup();
  const [a, b] = [candidate(kube, clock, "a", events), candidate(kube, clock, "b", events)];
  await clock.advance(60_000);
  expect(events).toEqual(["0 a leads"]);
  for (const one of [a, b]) one.stop.abort();
  await Promise.all([a.running, b.running]);
});

test("a leader that stops releases the lease after its work has ended, and the next takes it at once", async () => {
  const { kube, clock, events } = setup();
  const ending = Promise.withResolvers<void>();
  const a = candidate(kube, clock, "a", events, () => ending.promise);
  await settled();
  const b = candidate(kube, clock, "b", events);
  await clock.advance(10_000);
  a.stop.abort();
  await clock.advance(2_000);
  expect(await holder(kube)).toBe("a");
  ending.resolve();
  await a.running;
  await settled();
  expect(events).toEqual(["12 b leads"]);
  b.stop.abort();
  await b.running;
  expect(await holder(kube)).toBe("");
});

test("a candidate that may not watch looks from time to time, and the leader renews no more often for that", async () => {
  const { kube, clock, events } = setup();
  const a = candidate(kube, clock, "a", events);
  await settled();
  const watch: FakeKube["watch"] = () => {
    throw new KubeError(403, "Forbidden", "may not watch leases");
  };
  const b = candidate({ ...kube, watch }, clock, "b", events, undefined, { lookMs: 200 });
  await clock.advance(10_050);
  expect(kube.calls.filter(({ verb }) => verb === "patch")).toHaveLength(5);
  a.stop.abort();
  await a.running;
  expect(events.at(-1)).toBe("10.05 a stops");
  await clock.advance(200);
  expect(events.at(-1)).toMatch(/^10\.(05|1|15|2)\d* b leads$/);
  b.stop.abort();
  await b.running;
});

test("a watch that ends, or whose version is too old, begins again", async () => {
  const { kube, clock, events } = setup();
  const a = candidate(kube, clock, "a", events);
  await settled();
  const b = candidate(kube, clock, "b", events, undefined, { lookMs: 60_000 });
  await clock.advance(1_000);
  kube.endWatches();
  await clock.advance(5_000);
  kube.endWatches(new KubeError(410, "Expired", "too old"));
  await clock.advance(4_000);
  a.stop.abort();
  await a.running;
  await settled();
  expect(events.slice(1)).toEqual(["10 a stops", "10 b leads"]);
  b.stop.abort();
  await b.running;
  expect(kube.watches).toBe(0);
});

test("a leader that could not renew stands back: a candidate that can goes first", async () => {
  const { kube, clock, events } = setup();
  let hangs = true;
  const held = Promise.withResolvers<never>();
  const slow: FakeKube = { ...kube, patch: (...args) => (hangs ? held.promise : kube.patch(...args)) };
  const a = candidate(slow, clock, "a", events);
  await settled();
  const b = candidate({ ...kube, get: async (...args) => (await settled(), kube.get(...args)) }, clock, "b", events);
  await clock.advance(9_000);
  hangs = false;
  await clock.advance(5_000);
  expect(events).toEqual(["0 a leads", "10 a stops", "11 b leads"]);
  for (const one of [a, b]) one.stop.abort();
  await Promise.all([a.running, b.running]);
});

test("a leader that cannot renew stops acting 10 s after it last could, before another may begin", async () => {
  const { kube, clock, events } = setup();
  const a = candidate(kube, clock, "a", events);
  await settled();
  const b = candidate(kube, clock, "b", events);
  await clock.advance(4_000);
  for (let attempt = 0; attempt < 40; attempt++) kube.failNext("patch", new KubeError(0, "Unreachable", "gone"));
  await clock.advance(9_900);
  expect(events).toEqual(["0 a leads"]);
  await clock.advance(100);
  expect(events).toEqual(["0 a leads", "14 a stops"]);
  a.stop.abort();
  b.stop.abort();
  await Promise.all([a.running, b.running]);
});

test("a renewal that hangs does not keep the leader acting", async () => {
  const { kube, clock, events } = setup();
  let hangs = false;
  const hanging: FakeKube = { ...kube, patch: (...args) => (hangs ? new Promise(() => {}) : kube.patch(...args)) };
  const a = candidate(hanging, clock, "a", events);
  await clock.advance(3_000);
  hangs = true;
  await clock.advance(20_000);
  expect(events).toEqual(["0 a leads", "12 a stops"]);
  a.stop.abort();
  await clock.advance(2_000);
});

test("a dead leader's lease is taken when it has not changed for as long as it lasts, by the candidate's own clock", async () => {
  const { kube, clock, events } = setup();
  const renewTime = new Date(clock.now() + 3_600_000).toISOString();
  kube.seed<Lease>(LEASES, { ...unheld, spec: { holderIdentity: "dead", leaseDurationSeconds: 15, renewTime, leaseTransitions: 4 } });
  const b = candidate(kube, clock, "b", events);
  await clock.advance(15_000);
  expect(events).toEqual([]);
  await clock.advance(1);
  expect(events).toEqual(["15.001 b leads"]);
  expect(readLease((await kube.get<Lease>(LEASES, "system", "lease")) ?? unheld)).toMatchObject({
    holderIdentity: "b",
    leaseTransitions: 5,
  });
  b.stop.abort();
  await b.running;
});

test("a leader whose lease another has taken stops at its next renewal, and leaves the lease alone", async () => {
  const { kube, clock, events } = setup();
  const a = candidate(kube, clock, "a", events);
  await clock.advance(3_000);
  await kube.patch(LEASES, "system", "lease", { spec: { holderIdentity: "thief" } });
  await clock.advance(2_000);
  expect(events).toEqual(["0 a leads", "4 a stops"]);
  a.stop.abort();
  await a.running;
  expect(await holder(kube)).toBe("thief");
});

test("work that does not end in the time that is left is an error: the process must end", async () => {
  const { kube, clock, events } = setup();
  const a = candidate(kube, clock, "a", events, () => new Promise(() => {}));
  await clock.advance(1_000);
  await kube.patch(LEASES, "system", "lease", { spec: { holderIdentity: "thief" } });
  await clock.advance(7_000);
  expect(await a.held).toContain("did not end within 5000 ms");
  expect(await holder(kube)).toBe("thief");
});

test("a process that is told to end releases the lease even when its work does not end", async () => {
  const { kube, clock, events } = setup();
  const a = candidate(kube, clock, "a", events, () => new Promise(() => {}));
  await clock.advance(1_000);
  a.stop.abort();
  await clock.advance(3_000);
  expect(await a.held).toContain("did not end within 3000 ms");
  expect(await holder(kube)).toBe("");
});
