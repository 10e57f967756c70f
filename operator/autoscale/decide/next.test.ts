import { expect, test } from "vitest";
import { createAutoscaleWorld } from "../../../test/fakes/autoscale-world.ts";
import type { Decision } from "./decide.ts";
import { type NextInput, nextOf } from "./next.ts";

const input: NextInput = {
  now: 100_000,
  current: 4,
  draining: 0,
  starting: 0,
  observation: {
    ready: { value: 0, trust: "fresh" },
    inFlight: { value: 0, trust: "fresh" },
    total: { value: 0, trust: "fresh" },
    pods: [],
    missingQueues: [],
    alarms: [],
    doubts: [],
  },
  need: { replicas: 1, reason: "BacklogThreshold", words: "", steady: 0 },
  needs: [
    { from: 0, replicas: 4 },
    { from: 90_000, replicas: 2 },
    { from: 95_000, replicas: 1 },
  ],
  lastBusyAt: 80_000,
  trustedSince: 99_000,
  pause: "none",
  backlogPerReplica: 10,
  policy: {
    minReplicas: 0,
    maxReplicas: 5,
    upWindowMs: 0,
    upMaxStep: undefined,
    downWindowMs: 15_000,
    downMaxStep: undefined,
    cooldownMs: 30_000,
    manualFloor: 0,
    scheduledFloor: 0,
    advise: false,
  },
};
const decided = (given: Partial<Decision>): Decision => ({
  replicas: 4,
  reason: "BacklogThreshold",
  message: "",
  held: false,
  act: true,
  ...given,
});

const cases: readonly [why: string, decision: Partial<Decision>, given: Partial<NextInput>, words: string, at?: number][] = [
  ["a threshold", {}, {}, "more above a backlog of 40, fewer at 30 and below"],
  ["a threshold at the maximum", { replicas: 5 }, { current: 5 }, "fewer at 40 and below"],
  ["a size that is being changed", { replicas: 5 }, {}, "from 4 to 5"],
  ["a drain", { replicas: 2 }, { draining: 2 }, "2 more go when what runs there has finished"],
  ["a window", { reason: "ScaleDownWindow" }, {}, "1 when no more is needed until then", 110_000],
  ["a cooldown", { reason: "CoolingDown", replicas: 1 }, {}, "0 when no more is needed until then", 110_000],
  ["a new leader", { reason: "NewLeader", held: true }, {}, "may shrink from then on", 114_000],
  [
    "a new leader that knows nothing",
    { reason: "NewLeader", held: true },
    { trustedSince: undefined },
    "goes on when the backlog is known",
  ],
  ["doubt", { reason: "BacklogStale", held: true }, {}, "goes on when the backlog is known for sure"],
  ["advice", { act: false, replicas: 2 }, {}, "nothing: mode is Advise"],
  ["a wait objective", { reason: "WaitObjective" }, { backlogPerReplica: undefined }, "follows the tasks that arrive"],
];
test.for(cases)("after %s", ([, decision, given, words, at]) => {
  expect(nextOf(decided(decision), { ...input, ...given })).toEqual(at === undefined ? { words } : { words, at });
});

test("the status holds what was observed, decided and would come next; the events tell every change, and a hold once", async () => {
  const world = await createAutoscaleWorld({ backlogPerReplica: 10 });
  await using operator = world.newOperator();
  operator.start();
  world.workers.taskMs = 5_000;
  world.workers.ready = 40;
  await world.live(3_000);
  expect(world.status()?.autoscaling).toMatchObject({
    replicas: 4,
    reason: "BacklogThreshold",
    next: "more above a backlog of 40, fewer at 30 and below",
    observed: { trust: "fresh" },
  });
  world.faults.broker = true;
  await world.live(20_000);
  world.faults.broker = false;
  await world.live(30_000);
  expect(world.status()?.autoscaling).toMatchObject({ reason: "CoolingDown", nextTime: expect.stringMatching(/^2026-01-01T00:0/) });
  await world.live(40_000);
  expect(world.size()).toBe(0);
  const told = world.events.map(({ action, reason }) => `${action} ${reason}`);
  expect(told[0]).toBe("Scale BacklogThreshold");
  expect(told.filter((one) => one === "Scale BacklogStale")).toHaveLength(1);
  expect(world.events.some(({ action, note }) => action === "Drain" && /drains video/.test(note))).toBe(true);
  expect(world.events.at(-1)).toMatchObject({ note: expect.stringMatching(/^1 -> 0: nothing waits/) });
});
