import { expect, test } from "vitest";
import type { Observation } from "../observe/observation.ts";
import { type EvaluateInput, evaluate, freshMemory, type Memory } from "./evaluate.ts";
import { type NeedInput, needOf } from "./need.ts";

const backlog = (ready: number, inFlight = 0): Observation => ({
  ready: { value: ready, trust: "fresh" },
  inFlight: { value: inFlight, trust: "fresh" },
  total: { value: ready + inFlight, trust: "fresh" },
  pods: [],
  missingQueues: [],
  alarms: [],
  doubts: [],
});
const rates = (rate: number, serviceSeconds: number | undefined) => ({ fast: rate, slow: rate, serviceSeconds });
const base: NeedInput = {
  observation: backlog(0),
  rates: rates(0, undefined),
  startupSeconds: 0,
  concurrency: 1,
  current: 0,
  draining: 0,
  probe: 1,
};

const cases: readonly [why: string, given: Partial<NeedInput>, replicas: number, reason: string][] = [
  ["nothing to do", { backlogPerReplica: 50 }, 0, "Idle"],
  ["the first message starts the first replica", { backlogPerReplica: 50, observation: backlog(1) }, 1, "BacklogThreshold"],
  ["a backlog that fits exactly", { backlogPerReplica: 50, observation: backlog(500) }, 10, "BacklogThreshold"],
  ["one message over needs one more", { backlogPerReplica: 50, observation: backlog(501) }, 11, "BacklogThreshold"],
  ["what runs counts", { backlogPerReplica: 50, observation: backlog(480, 40) }, 11, "BacklogThreshold"],
  ["steady load: 10/s of 1 s at 95 %", { waitSeconds: 1_000, rates: rates(10, 1), observation: backlog(1, 1) }, 11, "WaitObjective"],
  ["slots share the load", { waitSeconds: 1_000, rates: rates(10, 1), observation: backlog(1, 1), concurrency: 5 }, 3, "WaitObjective"],
  ["the rate of the past starts nothing", { waitSeconds: 1_000, rates: rates(10, 1) }, 0, "Idle"],
  ["it keeps what is there, and what chance might ask back", { waitSeconds: 1_000, rates: rates(10, 1), current: 20 }, 12, "WaitObjective"],
  ["but for the last one, which is the cooldown's", { waitSeconds: 1_000, rates: rates(0.1, 1), current: 1 }, 0, "Idle"],
  [
    "a backlog must be worked off within 80 % of the objective",
    { waitSeconds: 10, rates: rates(0, 1), observation: backlog(100) },
    13,
    "WaitObjective",
  ],
  [
    "start-up is taken off the objective",
    { waitSeconds: 10, rates: rates(0, 1), observation: backlog(100), startupSeconds: 5 },
    25,
    "WaitObjective",
  ],
  [
    "an objective shorter than start-up still ends",
    { waitSeconds: 2, rates: rates(0, 1), observation: backlog(100), startupSeconds: 60 },
    100,
    "WaitObjective",
  ],
  ["without a measured service time it is tried out", { waitSeconds: 10, observation: backlog(100), probe: 4 }, 4, "Probing"],
  [
    "with both targets the higher wins",
    { waitSeconds: 10, backlogPerReplica: 5, rates: rates(0, 1), observation: backlog(100) },
    20,
    "BacklogThreshold",
  ],
  [
    "with both targets the higher wins, the other way",
    { waitSeconds: 2, backlogPerReplica: 50, rates: rates(0, 1), observation: backlog(100) },
    63,
    "WaitObjective",
  ],
  ["a task that runs on keeps its replica", { waitSeconds: 10, rates: rates(0, 1), observation: backlog(0, 1) }, 1, "Idle"],
];
test.for(cases)("%s", ([, given, replicas, reason]) => {
  expect(needOf({ ...base, ...given })).toMatchObject({ replicas, reason });
});

test("the arrival rate is what both figures agree on, so that neither a burst nor the past holds a pool", () => {
  const steady = (fast: number, slow: number) =>
    needOf({ ...base, backlogPerReplica: 50, rates: { fast, slow, serviceSeconds: 0.8 } }).steady;
  expect([steady(10, 10), steady(100, 1), steady(0, 10)]).toEqual([10, 1, 0]);
});

test("the words name every input", () => {
  expect(needOf({ ...base, backlogPerReplica: 50, observation: backlog(480, 40) }).words).toBe(
    "backlog 520 (480 ready, 40 in flight) at 50 per replica",
  );
  expect(needOf({ ...base, waitSeconds: 30, rates: rates(12.345, 0.5), concurrency: 4, observation: backlog(100) }).words).toBe(
    "backlog 100 (100 ready, 0 in flight), 12.3 tasks/s arriving, 0.5 s each in 4 slots, to wait at most 30 s",
  );
});

test("a cold start tries one, then four, then as many as the measurement says", () => {
  const input: EvaluateInput = {
    ...base,
    now: 0,
    current: 0,
    draining: 0,
    starting: 0,
    observation: backlog(1_000),
    pause: "none",
    target: { waitSeconds: 20 },
    fixed: 1,
    policy: {
      minReplicas: 0,
      maxReplicas: 100,
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
  let memory: Memory = freshMemory(0, 0);
  const sizes = [0, 1_000, 5_000, 6_000, 7_000].map((now) => {
    const measured = now >= 6_000 ? { rates: rates(0, 0.5) } : {};
    const step = evaluate(memory, { ...input, ...measured, now });
    memory = step.memory;
    return step.decision.replicas;
  });
  expect(sizes).toEqual([1, 1, 4, 32, 32]);
});
