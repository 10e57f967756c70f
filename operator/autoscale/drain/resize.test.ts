import { expect, test } from "vitest";
import type { PodSeen } from "../observe/observation.ts";
import type { DrainStep } from "./drain-plan.ts";
import { type ResizeInput, resize } from "./resize.ts";

const pod = (name: string, unacked = 0, given: Partial<PodSeen> = {}): PodSeen => ({
  name,
  state: "working",
  ready: true,
  busy: unacked,
  unacked,
  drainingSince: undefined,
  ...given,
});
const silent = (name: string) => pod(name, 0, { state: "silent", busy: undefined, unacked: undefined });
const draining = (name: string, unacked = 0) => pod(name, unacked, { drainingSince: 1 });
const to = (replicas: number, held = false) => ({ replicas, held, act: true });
const steps = (given: Readonly<Record<string, DrainStep>>) => new Map(Object.entries(given));

const base: ResizeInput = {
  decision: to(3),
  current: 3,
  pods: [pod("a"), pod("b", 1), pod("c", 2)],
  steps: new Map(),
  cheapest: new Set(),
  unchangedForMs: 60_000,
  rollingOut: false,
  withoutDrain: false,
};
const nothing = { pardon: [], drain: [], cordon: [], cheapen: [], keep: [], scale: undefined, removed: [], timedOut: [], unknown: 0 };

const cases: readonly [why: string, given: Partial<ResizeInput>, want: Partial<ReturnType<typeof resize>>][] = [
  ["the size is right", {}, {}],
  ["growth is one patch", { decision: to(9) }, { scale: 9 }],
  ["advice does nothing", { decision: { replicas: 9, held: false, act: false } }, {}],
  [
    "advice gives back what was being drained",
    {
      decision: { replicas: 1, held: false, act: false },
      pods: [draining("a"), draining("b", 1), pod("c")],
      steps: steps({ a: "remove" }),
    },
    { pardon: ["a", "b"] },
  ],
  ["one too many: the idle one is drained, the scale stays", { decision: to(2) }, { drain: ["a"] }],
  ["two too many: then the one with least in flight", { decision: to(1) }, { drain: ["a", "b"] }],
  ["a silent pod is never chosen", { decision: to(1), pods: [silent("a"), pod("b", 1), pod("c", 2)] }, { drain: ["b", "c"] }],
  [
    "pods that would go and cannot, because nobody knows what they run",
    { decision: to(0), pods: [silent("a"), silent("b"), pod("c")] },
    { drain: ["c"], unknown: 2 },
  ],
  [
    "one that is not ready goes first",
    { decision: to(2), pods: [pod("a"), pod("b"), pod("c", 0, { state: "starting", ready: false })] },
    { drain: ["c"] },
  ],
  [
    "a drained one takes the scale with it, and no other",
    { decision: to(1), pods: [draining("a"), draining("b", 1), pod("c", 2)], steps: steps({ a: "remove", b: "wait" }) },
    { scale: 2, removed: ["a"] },
  ],
  [
    "one that was timed out goes, too",
    { decision: to(2), pods: [draining("a", 1), pod("b"), pod("c")], steps: steps({ a: "time-out" }) },
    { scale: 2, removed: ["a"], timedOut: ["a"] },
  ],
  [
    "steps on the way are handed on",
    { decision: to(1), pods: [draining("a"), draining("b"), pod("c")], steps: steps({ a: "cordon", b: "lower-cost" }) },
    { cordon: ["a"], cheapen: ["b"] },
  ],
  [
    "load returns: the drained ones come back before any new pod",
    { decision: to(3), pods: [draining("a"), draining("b", 1), pod("c")], steps: steps({ a: "remove", b: "wait" }) },
    { pardon: ["b", "a"] },
  ],
  [
    "more load returns: they come back and new ones start",
    { decision: to(5), pods: [draining("a"), pod("b"), pod("c")], steps: steps({ a: "wait" }) },
    { pardon: ["a"], scale: 5 },
  ],
  [
    "some load returns: the busiest comes back, the idle one goes",
    { decision: to(2), pods: [draining("a"), draining("b", 1), pod("c")], steps: steps({ a: "remove", b: "wait" }) },
    { pardon: ["b"], scale: 2, removed: ["a"] },
  ],
  [
    "doubt: what is drained stays, what is not is not begun",
    { decision: to(2, true), pods: [draining("a"), pod("b"), pod("c")], steps: steps({ a: "remove" }) },
    {},
  ],
  [
    "a rollout: which pod would go cannot be said",
    { decision: to(2), rollingOut: true, pods: [draining("a"), pod("b"), pod("c")], steps: steps({ a: "remove" }) },
    {},
  ],
  [
    "a rollout on the way to zero: all go",
    { decision: to(0), current: 1, rollingOut: true, pods: [draining("a")], steps: steps({ a: "remove" }) },
    { scale: 0, removed: ["a"] },
  ],
  [
    "another pod is the first to go, too, and not known to be idle: nobody goes",
    {
      decision: to(1),
      pods: [draining("a"), draining("b", 1), pod("c")],
      steps: steps({ a: "remove", b: "raise-cost" }),
      cheapest: new Set("ab"),
    },
    { keep: ["b"] },
  ],
  [
    "one of two that are the first to go comes back: the other waits until that has been taken from it",
    {
      decision: to(2),
      pods: [draining("a"), draining("b"), pod("c")],
      steps: steps({ a: "remove", b: "remove" }),
      cheapest: new Set("ab"),
    },
    { pardon: ["a"] },
  ],
  [
    "a busy pod that is not ready would go before the drained one: nobody goes",
    {
      decision: to(2),
      pods: [draining("a"), pod("b", 1, { ready: false }), pod("c")],
      steps: steps({ a: "remove" }),
      cheapest: new Set("a"),
    },
    {},
  ],
  [
    "a drained pod works and another is idle: the idle one goes with the next step",
    { decision: to(2), pods: [draining("a", 1), pod("b"), pod("c", 1)], steps: steps({ a: "wait" }) },
    { drain: ["b"] },
  ],
  [
    "when both are drained, the one that works comes back",
    { decision: to(2), pods: [draining("a", 1), draining("b"), pod("c", 1)], steps: steps({ a: "wait", b: "cordon" }) },
    { pardon: ["a"], cordon: ["b"] },
  ],
  [
    "a drained pod works, and so do all others: nothing changes places",
    { decision: to(2), pods: [draining("a", 1), pod("b", 1), pod("c", 2)], steps: steps({ a: "wait" }) },
    {},
  ],
  [
    "a pod that begins to start would go before the drained one: they change places",
    {
      decision: to(2),
      pods: [draining("a"), pod("b"), pod("c", 0, { state: "starting", ready: false })],
      steps: steps({ a: "remove" }),
      cheapest: new Set("a"),
    },
    { drain: ["c"] },
  ],
  [
    "and the other way round, it comes back when the one that starts is marked",
    {
      decision: to(2),
      pods: [draining("a"), pod("b"), pod("c", 0, { state: "starting", ready: false, drainingSince: 1 })],
      steps: steps({ a: "remove", c: "wait" }),
      cheapest: new Set("a"),
    },
    { pardon: ["a"] },
  ],
  ["replicas that have no pod need no drain", { decision: to(3), current: 5 }, { scale: 3 }],
  [
    "replicas that were asked for a moment ago may be in no cache yet",
    { decision: to(3), current: 5, unchangedForMs: 1_000 },
    { drain: ["a", "b"] },
  ],
  [
    "a pod that is leaving counts for nothing",
    { decision: to(2), pods: [pod("a", 0, { state: "leaving" }), pod("b"), pod("c")] },
    { scale: 2 },
  ],
  ["a fixed size on an image that cannot be asked is simply set", { decision: to(1), withoutDrain: true }, { scale: 1 }],
];

test.for(cases)("%s", ([, given, want]) => {
  expect(resize({ ...base, ...given })).toEqual({ ...nothing, ...want });
});
