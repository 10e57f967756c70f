import { expect, test } from "vitest";
import type { Observation, Trust } from "../observe/observation.ts";
import { type DecideInput, decide, decideFixed, type Policy } from "./decide.ts";
import type { Need } from "./need.ts";

const policy: Policy = {
  minReplicas: 0,
  maxReplicas: 10,
  upWindowMs: 0,
  upMaxStep: undefined,
  downWindowMs: 15_000,
  downMaxStep: undefined,
  cooldownMs: 30_000,
  manualFloor: 0,
  scheduledFloor: 0,
  advise: false,
};
const seen = (trust: Trust, alarms: readonly string[] = [], missingQueues: readonly string[] = []): Observation => ({
  ready: { value: 0, trust },
  inFlight: { value: 0, trust: "fresh" },
  total: { value: 0, trust },
  pods: [],
  missingQueues,
  alarms,
  doubts: trust === "fresh" ? [] : ["why"],
});
const needs = (replicas: number, steady = 0): Need => ({ replicas, reason: "BacklogThreshold", words: "words", steady });

/** Three replicas, three needed and for long, everything known. */
const calm: DecideInput = {
  now: 1_000_000,
  current: 3,
  draining: 0,
  starting: 0,
  observation: seen("fresh"),
  need: needs(3),
  highestNeed: 3,
  lowestNeed: 3,
  lastBusyAt: 1_000_000,
  trustedSince: 0,
  pause: "none",
  policy,
};
const limits = (change: Partial<Policy>): Partial<DecideInput> => ({ policy: { ...policy, ...change } });
const less = { need: needs(1), highestNeed: 1, lowestNeed: 1 };
const none = { need: needs(0), highestNeed: 0, lowestNeed: 0 };

const cases: readonly [why: string, given: Partial<DecideInput>, replicas: number, reason: string][] = [
  ["what is needed is there", {}, 3, "BacklogThreshold"],
  ["growing is one step to any size", { current: 0, need: needs(10) }, 10, "BacklogThreshold"],
  ["shrinking takes what was not needed within the window", less, 1, "BacklogThreshold"],
  ["the highest need within the window counts", { need: needs(1), highestNeed: 2 }, 2, "ScaleDownWindow"],
  ["a need above the present size never grows by the window", { need: needs(1), highestNeed: 9 }, 3, "ScaleDownWindow"],
  ["capacity for the arrival rate stays", { ...less, need: needs(1, 2) }, 2, "ArrivalRate"],
  ["the arrival rate never grows a pool", { ...less, need: needs(1, 9) }, 3, "ArrivalRate"],
  ["growing waits where a window asks for it", { need: needs(8), lowestNeed: 4, ...limits({ upWindowMs: 5_000 }) }, 4, "ScaleUpWindow"],
  ["the last replica stays for the cooldown", { ...none, lastBusyAt: 980_000 }, 1, "CoolingDown"],
  ["after the cooldown the last one goes", { ...none, lastBusyAt: 970_000 }, 0, "BacklogThreshold"],
  ["a pool at zero has nothing to cool down", { ...none, current: 0 }, 0, "BacklogThreshold"],
  ["at most maxStep are started at once", { need: needs(9), ...limits({ upMaxStep: 2 }) }, 5, "ScaleUpLimit"],
  ["those that still start count", { need: needs(9), starting: 2, ...limits({ upMaxStep: 2 }) }, 3, "ScaleUpLimit"],
  ["more start when the last ones have", { need: needs(9), starting: 1, ...limits({ upMaxStep: 2 }) }, 4, "ScaleUpLimit"],
  ["at most maxStep are drained at once", { ...less, current: 9, ...limits({ downMaxStep: 2 }) }, 7, "ScaleDownLimit"],
  ["those that drain already count", { ...less, current: 9, draining: 1, ...limits({ downMaxStep: 2 }) }, 7, "ScaleDownLimit"],
  ["stale data shrinks nothing", { ...less, observation: seen("stale") }, 3, "BacklogStale"],
  ["missing data shrinks nothing", { ...none, observation: seen("missing"), lastBusyAt: 0 }, 3, "BacklogUnknown"],
  ["a contradicted zero shrinks nothing", { ...none, observation: seen("contradicted"), lastBusyAt: 0 }, 3, "BacklogContradicted"],
  ["an unconfirmed zero shrinks nothing", { ...none, observation: seen("unconfirmed"), lastBusyAt: 0 }, 3, "ZeroUnconfirmed"],
  ["a missing queue is named", { ...less, observation: seen("missing", [], ["q"]) }, 3, "QueueMissing"],
  [
    "work that is known of starts replicas, whatever else is not known",
    { need: needs(7), observation: seen("missing") },
    7,
    "BacklogThreshold",
  ],
  [
    "a pool at zero with an unconfirmed zero is simply idle",
    { ...none, current: 0, observation: seen("unconfirmed") },
    0,
    "BacklogThreshold",
  ],
  ["an alarm holds growth", { need: needs(9), observation: seen("fresh", ["memory"]) }, 3, "BrokerAlarm"],
  ["an alarm holds shrinking", { ...less, observation: seen("fresh", ["disk"]) }, 3, "BrokerAlarm"],
  ["a new leader shrinks nothing", { ...less, trustedSince: undefined }, 3, "NewLeader"],
  ["a new leader watches for a whole window", { ...less, trustedSince: 986_000 }, 3, "NewLeader"],
  ["after one window it is no longer new", { ...less, trustedSince: 985_000 }, 1, "BacklogThreshold"],
  ["a new leader grows at once", { need: needs(5), trustedSince: undefined }, 5, "BacklogThreshold"],
  ["max wins over need", { need: needs(99) }, 10, "AtMaximum"],
  ["min wins over need", { ...none, lastBusyAt: 0, ...limits({ minReplicas: 2 }) }, 2, "AtMinimum"],
  ["a floor set by hand wins over need", { ...less, ...limits({ manualFloor: 2 }) }, 2, "ManualFloor"],
  ["a scheduled floor grows a pool at zero", { ...none, current: 0, ...limits({ scheduledFloor: 4 }) }, 4, "ScheduledFloor"],
  ["the highest floor counts", { ...less, ...limits({ minReplicas: 2, manualFloor: 5, scheduledFloor: 4 }) }, 5, "ManualFloor"],
  ["max wins over a floor", { ...less, ...limits({ manualFloor: 50 }) }, 10, "AtMaximum"],
  ["min holds without any data", { current: 0, ...none, observation: seen("missing"), ...limits({ minReplicas: 1 }) }, 1, "AtMinimum"],
  ["max shrinks even on doubt: it is the owner's", { current: 12, observation: seen("stale"), highestNeed: 12 }, 10, "AtMaximum"],
  ["a pause holds growth", { need: needs(9), pause: "all" }, 3, "Paused"],
  ["a pause upwards holds growth", { need: needs(9), pause: "up" }, 3, "Paused"],
  ["a pause upwards lets shrink", { ...less, pause: "up" }, 1, "BacklogThreshold"],
  ["a pause downwards holds shrinking", { ...less, pause: "down" }, 3, "Paused"],
  ["a pause gives back what is being drained", { ...less, current: 5, draining: 2, pause: "all" }, 5, "Paused"],
  ["so does a pause downwards", { ...less, current: 5, draining: 2, pause: "down" }, 5, "Paused"],
  ["a pause upwards lets drained pods come back", { need: needs(4), current: 5, draining: 2, pause: "up" }, 4, "BacklogThreshold"],
  ["a pause downwards lets grow", { need: needs(9), pause: "down" }, 9, "BacklogThreshold"],
  ["pods being drained do not serve", { current: 5, draining: 2 }, 3, "BacklogThreshold"],
];

test.for(cases)("%s", ([, given, replicas, reason]) => {
  expect(decide({ ...calm, ...given })).toMatchObject({ replicas, reason });
});

test("what is held is neither drained on nor removed", () => {
  expect(decide({ ...calm, ...less, draining: 1, observation: seen("stale") })).toMatchObject({ replicas: 2, held: true });
  expect(decide({ ...calm, current: 12, observation: seen("stale"), highestNeed: 12 })).toMatchObject({ held: false });
});

test("advice says what it would do and does nothing", () => {
  const decision = decide({ ...calm, need: needs(9), ...limits({ advise: true }) });
  expect(decision).toMatchObject({ replicas: 9, act: false });
  expect(decision.message).toBe("advice only: 9 (words)");
});

test("a limit says what would be without it", () => {
  expect(decide({ ...calm, need: needs(99) }).message).toBe("maxReplicas is 10; needed: 99 (words)");
});

const fixed: readonly [why: string, replicas: number, pause: DecideInput["pause"], want: number, reason: string][] = [
  ["a fixed pool has the size it is told", 5, "none", 5, "FixedSize"],
  ["a fixed pool shrinks", 0, "none", 0, "FixedSize"],
  ["a paused one stays", 5, "all", 3, "Paused"],
  ["one that must not shrink grows", 5, "down", 5, "FixedSize"],
  ["one that must not shrink stays", 1, "down", 3, "Paused"],
];
test.for(fixed)("%s", ([, replicas, pause, want, reason]) => {
  expect(decideFixed(replicas, 3, pause)).toMatchObject({ replicas: want, reason });
});
