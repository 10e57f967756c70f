import { expect, test } from "vitest";
import { type AutoscaleWorld, createAutoscaleWorld, PODS, POOLS } from "../../test/fakes/autoscale-world.ts";
import { KubeError } from "../runtime/kube-error.ts";

/** Runs an operator on the world until `stop`. */
async function running(world: AutoscaleWorld): Promise<AsyncDisposable> {
  const operator = world.newOperator();
  operator.start();
  await world.live(3_000);
  return operator;
}
const scaling = (world: AutoscaleWorld) => world.status()?.autoscaling;
const ready = (world: AutoscaleWorld) => world.status()?.conditions?.find(({ type }) => type === "Ready");
const marked = (world: AutoscaleWorld) =>
  world.caches.pods.list().filter(({ metadata }) => metadata.annotations?.["longshore.dev/draining"] !== undefined);

test("a burst starts every replica in one patch, all work is done, and only idle pods go", async () => {
  const world = await createAutoscaleWorld();
  await using _ = await running(world);
  world.workers.ready = 480;
  await world.live(1_000);
  expect(world.patches()).toEqual([{ replicas: 10 }]);
  await world.live(120_000);
  expect(world.workers.finished).toBe(480);
  expect(world.size()).toBe(0);
  expect(world.replicaSets.killed).toBe(0);
  expect(world.status()).toMatchObject({ desiredReplicas: 0, backlog: 0, busy: 0, autoscaling: { reason: "Idle" } });
  expect(world.events[0]).toMatchObject({ action: "Scale", note: "0 -> 10: backlog 480 (480 ready, 0 in flight) at 50 per replica" });
});

test("a burst that takes its time to arrive is one patch, too", async () => {
  const world = await createAutoscaleWorld();
  await using _ = await running(world);
  for (let sent = 0; sent < 6; sent++) {
    world.workers.ready += 50;
    await world.live(50);
  }
  await world.live(1_000);
  expect(world.patches()).toEqual([{ replicas: 6 }]);
});

test("growth is patched within 400 ms of the messages, whenever they come", async () => {
  for (const phase of [0, 50, 100, 150, 450, 950]) {
    const world = await createAutoscaleWorld();
    await using _ = await running(world);
    await world.live(phase);
    world.workers.ready = 500;
    await world.live(400);
    expect(world.patches(), `phase ${phase}`).toEqual([{ replicas: 10 }]);
  }
});

test("nothing is written while nothing changes", async () => {
  const world = await createAutoscaleWorld({ minReplicas: 1 }, 1);
  await using _ = await running(world);
  // Until the cooldown is over: that is a change.
  await world.live(40_000);
  const writes = () => world.kube.calls.filter(({ verb }) => verb === "apply" || verb === "patch").length;
  const before = writes();
  await world.live(30_000);
  expect(writes()).toBe(before);
});

/** Ten busy pods whose tasks take `taskMs`. */
async function busy(taskMs: number, given = {}): Promise<AutoscaleWorld> {
  const world = await createAutoscaleWorld({ backlogPerReplica: 2, cooldownSeconds: 0, ...given });
  world.workers.taskMs = taskMs;
  return world;
}

test("a pod that works is drained, finishes, and only then goes", async () => {
  const world = await busy(60_000);
  await using _ = await running(world);
  world.workers.ready = 10;
  await world.live(50_000);
  expect(world.size()).toBe(5);
  await world.live(40_000);
  expect(world.size()).toBe(0);
  expect([world.replicaSets.killed, world.workers.finished]).toEqual([0, 10]);
});

test("load that returns takes the drained pods back before any new one", async () => {
  const world = await createAutoscaleWorld({ backlogPerReplica: 10, cooldownSeconds: 0 });
  await using _ = await running(world);
  world.workers.taskMs = 40_000;
  world.workers.ready = 30;
  await world.live(8_000);
  expect(world.size()).toBe(3);
  world.workers.ready = 0;
  await world.live(20_000);
  expect(marked(world)).toHaveLength(2);
  expect(world.workers.consumers).toBe(1);
  world.workers.ready = 30;
  await world.live(3_000);
  expect(marked(world)).toHaveLength(0);
  expect(world.workers.consumers).toBe(world.size());
  expect(world.replicaSets.removed).toEqual([]);
});

test("a new operator goes on with the drain that it finds, and shrinks nothing before it has watched for a window", async () => {
  const world = await busy(30_000);
  const first = await running(world);
  world.workers.ready = 6;
  await world.live(5_000);
  expect(world.size()).toBe(3);
  await world.kube.patch(PODS, "default", "video-0", { metadata: { annotations: { "longshore.dev/draining": "2026-01-01T00:00:00Z" } } });
  await first[Symbol.asyncDispose]();
  await world.live(25_000);
  await using _ = await running(world);
  await world.live(8_000);
  expect(world.size()).toBe(3);
  await world.live(25_000);
  expect(world.size()).toBe(0);
  expect(world.replicaSets.killed).toBe(0);
});

const outages: readonly [
  what: string,
  begin: (world: AutoscaleWorld) => void,
  end: (world: AutoscaleWorld) => void,
  reason: string,
  says: string,
][] = [
  [
    "the broker is away",
    ({ faults }) => (faults.broker = true),
    ({ faults }) => (faults.broker = false),
    "BacklogStale",
    "cannot connect to broker:5672/",
  ],
  [
    "a leader is silent and reads 0",
    ({ faults }) => (faults.falseZero = true),
    ({ faults }) => (faults.falseZero = false),
    "BacklogContradicted",
    "totals say",
  ],
  [
    "workers are silent",
    ({ workers, faults }) => ((workers.silent = true), (faults.noTotals = true)),
    ({ workers }) => (workers.silent = false),
    "BacklogUnknown",
    "no word from",
  ],
  [
    "the store is away",
    ({ faults }) => ((faults.store = true), (faults.noTotals = true)),
    ({ faults }) => (faults.store = false),
    "BacklogUnknown",
    "store is down",
  ],
  [
    "an alarm blocks publishers",
    ({ faults }) => (faults.alarms = ["memory"]),
    ({ faults }) => (faults.alarms = []),
    "BrokerAlarm",
    "memory",
  ],
];

test.for(outages)("while %s the size stays, the condition says why, and it goes on by itself", async ([, begin, end, reason, says]) => {
  const world = await createAutoscaleWorld({ backlogPerReplica: 10, cooldownSeconds: 0 });
  await using _ = await running(world);
  world.workers.taskMs = 20_000;
  world.workers.ready = 90;
  await world.live(8_000);
  expect(world.size()).toBe(9);
  begin(world);
  // Totals are believed for 15 s: only after that the workers' silence is missed.
  await world.live(40_000);
  expect(world.size()).toBe(9);
  expect(world.replicaSets.removed).toEqual([]);
  expect(ready(world)?.message).toContain(says);
  expect([scaling(world)?.reason, ready(world)?.reason]).toEqual([reason, reason]);
  end(world);
  await world.live(180_000);
  expect([world.size(), world.replicaSets.killed, world.workers.finished]).toEqual([0, 0, 90]);
});

test("a patch that fails is tried again", async () => {
  const world = await createAutoscaleWorld();
  await using _ = await running(world);
  world.kube.failNext("patch", new KubeError(503, "ServiceUnavailable", "try later"));
  world.workers.ready = 500;
  await world.live(2_000);
  expect(world.size()).toBe(10);
});

test("a paused pool stays as it is, and says so", async () => {
  const world = await createAutoscaleWorld();
  await using _ = await running(world);
  await world.kube.patch(POOLS, "default", "video", { metadata: { annotations: { "longshore.dev/paused": "all" } } });
  await world.live(1_500);
  world.workers.ready = 500;
  await world.live(5_000);
  expect(world.size()).toBe(0);
  expect(scaling(world)).toMatchObject({ reason: "Paused", message: expect.stringContaining("otherwise 10") });
});
