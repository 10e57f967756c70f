import { expect, test } from "vitest";
import type { Observation, PodSeen } from "../observe/observation.ts";
import { type Effect, judgeEffect, NO_EFFECT } from "./effect.ts";

const pod = (index: number, busy: number): PodSeen => ({
  name: `p${index}`,
  state: "working",
  ready: true,
  busy,
  unacked: busy,
  drainingSince: undefined,
});

const UNKNOWN = -1;

/** One second of a pool: how many pods with how many busy slots each, what waits, and what is done in it. */
interface Second {
  readonly pods: number;
  readonly busy?: number;
  readonly ready?: number;
  readonly finishes?: number;
  readonly comesBack?: number;
}

/** Lives through the seconds, with two slots per pod; what was said at the end. */
function live(seconds: readonly Second[], serviceSeconds = 1, counted = true): Effect {
  let effect = NO_EFFECT;
  let [finished, redelivered] = [0, 0];
  for (const [second, { pods, busy = 2, ready = 100, finishes = 0, comesBack = 0 }] of seconds.entries()) {
    finished += finishes;
    redelivered += comesBack;
    const seen = Array.from({ length: pods }, (_, index) => pod(index, busy));
    const inFlight = pods * busy;
    const observation: Observation = {
      ready: { value: ready, trust: "fresh" },
      inFlight: { value: inFlight, trust: "fresh" },
      total: { value: ready + inFlight, trust: "fresh" },
      pods: seen,
      missingQueues: [],
      alarms: [],
      doubts: [],
    };
    const progress = counted ? { finished, redelivered } : undefined;
    effect = judgeEffect(effect, {
      now: second * 1_000,
      observation,
      progress,
      rates: { fast: 1, slow: 1, serviceSeconds: serviceSeconds === UNKNOWN ? undefined : serviceSeconds },
      concurrency: 2,
    });
  }
  return effect;
}
const lasting = (count: number, second: Second): readonly Second[] => Array.from({ length: count }, () => second);

const useless: readonly [why: string, seconds: readonly Second[], says: string][] = [
  ["workers that take nothing", lasting(17, { pods: 3, busy: 0 }), "3 replicas take none of them"],
  [
    "workers that hang, old and new",
    [...lasting(5, { pods: 2, finishes: 2 }), ...lasting(70, { pods: 8 })],
    "8 replicas work and not one task was finished for 70 s",
  ],
  ["workers that hang from the beginning of the load", [{ pods: 0, ready: 0 }, ...lasting(70, { pods: 4 })], "not one task was finished"],
  ["messages that come back", lasting(40, { pods: 2, comesBack: 1, finishes: 0.5 }), "messages come back: 39 were delivered again"],
  [
    "a database that is the narrow place",
    [...lasting(32, { pods: 5, finishes: 10 }), ...lasting(33, { pods: 10, finishes: 10 })],
    "finish no more tasks",
  ],
  [
    "a slow ramp that brings nothing",
    Array.from({ length: 70 }, (_, second) => ({ pods: 5 + second, finishes: 20 })),
    "finish no more tasks",
  ],
];
test.for(useless)("growth stops: %s", ([, seconds, says]) => expect(live(seconds).ineffective).toContain(says));

const useful: readonly [why: string, seconds: readonly Second[], serviceSeconds?: number, counted?: boolean][] = [
  ["workers that were idle a moment ago", lasting(10, { pods: 3, busy: 0 })],
  ["an empty queue", lasting(300, { pods: 3, busy: 0, ready: 0 })],
  ["workers that hang before any was added", [...lasting(5, { pods: 2, finishes: 2 }), ...lasting(200, { pods: 2 })]],
  ["long tasks, as they were before", lasting(290, { pods: 4 }), 30],
  ["long tasks of which none was ever measured", [{ pods: 0, ready: 0 }, ...lasting(1_700, { pods: 4 })], UNKNOWN],
  ["workers that do not count", lasting(3_000, { pods: 4 }), UNKNOWN, false],
  ["some messages that come back among many", lasting(70, { pods: 2, comesBack: 1, finishes: 4 })],
  ["growth that helps", [...lasting(32, { pods: 5, finishes: 10 }), ...lasting(33, { pods: 10, finishes: 19 })]],
  [
    "growth that helps a third as much as promised",
    [...lasting(32, { pods: 5, finishes: 10 }), ...lasting(33, { pods: 10, finishes: 14 })],
  ],
  ["growth whose gain chance hides", [...lasting(32, { pods: 20, finishes: 44 }), ...lasting(33, { pods: 24, finishes: 44.5 })]],
  ["too little to tell from chance", [...lasting(32, { pods: 5, finishes: 0.2 }), ...lasting(33, { pods: 6, finishes: 0.2 })]],
  ["slots that were not all busy before", [...lasting(32, { pods: 5, busy: 1, finishes: 10 }), ...lasting(33, { pods: 10, finishes: 10 })]],
];
test.for(useful)("growth goes on: %s", ([, seconds, serviceSeconds, counted]) =>
  expect(live(seconds, serviceSeconds, counted).ineffective).toBeUndefined(),
);

test("one finished task ends the doubt, and useless growth is tried again after five minutes", () => {
  const hung = [...lasting(5, { pods: 2, finishes: 2 }), ...lasting(70, { pods: 8 })];
  expect(live([...hung, { pods: 8, finishes: 1 }]).ineffective).toBeUndefined();
  const narrow = [...lasting(32, { pods: 5, finishes: 10 }), ...lasting(33, { pods: 10, finishes: 10 })];
  expect(live([...narrow, ...lasting(290, { pods: 10, finishes: 10 })]).ineffective).toBeDefined();
  expect(live([...narrow, ...lasting(310, { pods: 10, finishes: 10 })]).ineffective).toBeUndefined();
  expect(live([...narrow, { pods: 10, ready: 0, finishes: 10 }]).ineffective).toBeUndefined();
});
