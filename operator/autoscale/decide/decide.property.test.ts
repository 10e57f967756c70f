import * as fc from "fast-check";
import { expect, test } from "vitest";
import { chooseVictims } from "../drain/victims.ts";
import { type Observation, TRUST, type Trust } from "../observe/observation.ts";
import type { Policy } from "./decide.ts";
import { evaluate, freshMemory } from "./evaluate.ts";

const count = (max: number) => fc.integer({ min: 0, max });

const policies: fc.Arbitrary<Policy> = fc
  .record({
    minReplicas: count(5),
    room: fc.integer({ min: 1, max: 50 }),
    upWindowMs: fc.constantFrom(0, 5_000),
    upMaxStep: fc.option(fc.integer({ min: 1, max: 10 }), { nil: undefined }),
    downWindowMs: fc.constantFrom(0, 15_000, 60_000),
    downMaxStep: fc.option(fc.integer({ min: 1, max: 10 }), { nil: undefined }),
    cooldownMs: fc.constantFrom(0, 30_000),
    manualFloor: count(8),
    scheduledFloor: count(8),
    advise: fc.constant(false),
  })
  .map(({ room, ...rest }) => ({ ...rest, maxReplicas: rest.minReplicas + room }));

const moments = fc.array(
  fc.record({
    ready: count(5_000),
    inFlight: count(100),
    trust: fc.constantFrom<Trust>(...TRUST),
    alarm: fc.boolean(),
    rate: fc.double({ min: 0, max: 100, noNaN: true }),
    service: fc.option(fc.double({ min: 0.001, max: 100, noNaN: true }), { nil: undefined }),
    stepMs: fc.integer({ min: 50, max: 20_000 }),
  }),
  { minLength: 1, maxLength: 40 },
);

const observe = (m: { ready: number; inFlight: number; trust: Trust; alarm: boolean }): Observation => ({
  ready: { value: m.ready, trust: m.trust },
  inFlight: { value: m.inFlight, trust: "fresh" },
  total: { value: m.ready + m.inFlight, trust: m.trust },
  pods: [],
  missingQueues: [],
  alarms: m.alarm ? ["memory"] : [],
  doubts: [],
});

test("whatever happens, the size stays in bounds, and doubt or an alarm never shrinks a pool that is within them", () => {
  fc.assert(
    fc.property(policies, moments, count(60), fc.boolean(), (policy, steps, start, byWait) => {
      let now = 1_000_000;
      let current = start;
      let memory = freshMemory(current, now);
      for (const step of steps) {
        now += step.stepMs;
        const target = byWait ? { waitSeconds: 30 } : { backlogPerReplica: 50 };
        const rates = { fast: step.rate, slow: step.rate, serviceSeconds: step.service };
        const fixed = { draining: 0, starting: 0, startupSeconds: 3, concurrency: 2, pause: "none" as const, fixed: 1 };
        const next = evaluate(memory, { ...fixed, now, current, rates, target, policy, observation: observe(step) });
        const { replicas } = next.decision;
        expect(replicas).toBeGreaterThanOrEqual(policy.minReplicas);
        expect(replicas).toBeLessThanOrEqual(policy.maxReplicas);
        if (step.trust !== "fresh" || step.alarm) expect(replicas).toBeGreaterThanOrEqual(Math.min(current, policy.maxReplicas));
        memory = next.memory;
        current = replicas;
      }
    }),
  );
});

test("a busy pod is never chosen while an idle one is there, nor a silent one ever", () => {
  const pod = fc.record({
    name: fc.uuid(),
    state: fc.constantFrom("starting", "working", "silent", "leaving"),
    ready: fc.boolean(),
    unacked: count(3),
    draining: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.uniqueArray(pod, { selector: ({ name }) => name, maxLength: 20 }), count(20), (given, want) => {
      const pods = given.map(({ draining, ...rest }) => {
        const unacked = rest.state === "silent" ? undefined : rest.state === "starting" ? 0 : rest.unacked;
        return { ...rest, unacked, busy: unacked, drainingSince: draining ? 1 : undefined };
      });
      const chosen = chooseVictims(pods, want);
      const left = pods.filter((one) => !chosen.includes(one) && one.drainingSince === undefined && one.state === "working");
      const busiest = Math.max(0, ...chosen.map(({ unacked }) => unacked ?? Number.POSITIVE_INFINITY));
      for (const { unacked } of left) expect(unacked).toBeGreaterThanOrEqual(busiest);
      expect(chosen.every(({ state, drainingSince }) => state !== "silent" && state !== "leaving" && drainingSince === undefined)).toBe(
        true,
      );
    }),
  );
});
