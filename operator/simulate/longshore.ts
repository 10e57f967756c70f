import type { Decision } from "../autoscale/decide/decide.ts";
import { evaluate, freshMemory, type Memory } from "../autoscale/decide/evaluate.ts";
import type { PoolPlan } from "../autoscale/decide/policy.ts";
import { type DrainStep, planDrain } from "../autoscale/drain/drain-plan.ts";
import { type Resize, resize } from "../autoscale/drain/resize.ts";
import { createPerception, type Sight } from "../autoscale/observe/perception.ts";
import type { PodReadings, QueueReadings, Reading, WorkCounters } from "../autoscale/sense/reading.ts";
import type { System } from "./system.ts";
import type { SimPod, World } from "./world.ts";

/** Every pool is looked at this often, ms. */
const EVERY_MS = 1_000;
/** Heartbeats are this old when the decision is made, ms. */
const BEAT_AGE_MS = 400;
/** The broker's totals are read every other second and are this old when they arrive, ms. */
const TOTALS_EVERY_LOOKS = 2;
const TOTALS_AGE_MS = 3_000;
const QUEUE = "trace";

/**
 * Longshore as it runs: the same `observe`, rates, `evaluate`, `resize` and drain plan as in the operator, once a second, on readings that
 * are as old as they are there. What is left out: the looks in between that start a growth up to a second earlier, several queues
 * (the trace is one), and everything that fails.
 * @param planAt the pool's plan; its scheduled floor may differ from one time to another
 */
export function createLongshore(planAt: (now: number) => PoolPlan): System {
  const perceive = createPerception();
  const counters = new Map<string, WorkCounters>();
  const drains = new Map<string, { readonly since: number; cheapest: boolean }>();
  let beats: ReadonlyMap<string, PodReadings["work"]> = new Map();
  let totals: QueueReadings["totals"];
  let looks = 0;
  let memory: Memory | undefined;
  let decision: Decision | undefined;

  const beat = (world: World): void => {
    const at = world.now;
    beats = new Map(world.pods().flatMap((pod) => (pod.ready ? [[pod.name, workOf(pod, at)] as const] : [])));
    for (const { name, finished, busyMs, ready } of world.pods()) if (ready) counters.set(name, { boot: name, finished, busyMs });
  };

  const readingsOf = (pod: SimPod): PodReadings => ({
    name: pod.name,
    ready: pod.ready,
    running: pod.ready,
    leaving: false,
    createdAt: pod.createdAt,
    readyAt: pod.ready ? pod.readyAt : undefined,
    drainingSince: drains.get(pod.name)?.since,
    work: beats.get(pod.name),
    neverBeat: !beats.has(pod.name),
  });

  const see = (world: World): Sight => {
    const { now } = world;
    const consumers = world.pods().filter(({ ready, cordoned }) => ready && !cordoned).length;
    if (looks++ % TOTALS_EVERY_LOOKS === 0) {
      totals = { value: { ready: world.ready, unacked: world.unacked, type: "quorum" }, at: now - TOTALS_AGE_MS };
    }
    const live = { value: { ready: world.ready, consumers }, at: now };
    const queues = [{ name: QUEUE, weight: 1, live, totals }];
    return perceive({ now, queues, pods: world.pods().map(readingsOf), alarms: [], failures: [], counters: new Map(counters) });
  };

  const stepsOf = ({ observation, pods }: Sight, plan: PoolPlan, now: number): ReadonlyMap<string, DrainStep> => {
    const steps = new Map<string, DrainStep>();
    for (const { name, state } of observation.pods) {
      const drain = drains.get(name);
      if (drain === undefined) continue;
      const { since, cheapest } = drain;
      const work = pods.find((pod) => pod.name === name)?.work;
      const draining = {
        state,
        assigned: true,
        markedForMs: now - since,
        cordonedAt: since,
        askedAt: since,
        work,
        brokerUnacked: undefined,
        cheapest,
      };
      steps.set(name, planDrain(draining, "remote-control", now, plan.drainTimeoutMs));
    }
    return steps;
  };

  const carryOut = (world: World, from: number, toDo: Resize): void => {
    for (const pod of toDo.pardon) {
      drains.delete(pod);
      world.cordon(pod, false);
    }
    for (const pod of toDo.drain) {
      drains.set(pod, { since: world.now, cheapest: false });
      world.cordon(pod, true);
    }
    for (const [pod, drain] of drains) {
      if (toDo.cheapen.includes(pod)) drain.cheapest = true;
      if (toDo.keep.includes(pod)) drain.cheapest = false;
    }
    for (const pod of toDo.removed) {
      drains.delete(pod);
      world.remove(pod);
    }
    world.create(Math.max(0, (toDo.scale ?? from) - from));
  };

  let next = 0;
  return {
    next: () => next,
    senses: { next: () => next - BEAT_AGE_MS, sense: beat },
    act(world) {
      next += EVERY_MS;
      const { now } = world;
      const plan = planAt(now);
      const sight = see(world);
      const current = world.pods().length;
      const draining = drains.size;
      const starting = world.pods().filter(({ ready }) => !ready).length;
      memory ??= freshMemory(current, now);
      const step = evaluate(memory, { ...plan, ...sight, now, current, draining, starting });
      memory = step.memory;
      decision = step.decision;
      const toDo = resize({
        decision,
        current,
        pods: sight.observation.pods,
        steps: stepsOf(sight, plan, now),
        cheapest: new Set([...drains].flatMap(([pod, { cheapest }]) => (cheapest ? [pod] : []))),
        unchangedForMs: Number.POSITIVE_INFINITY,
        rollingOut: false,
        withoutDrain: false,
      });
      carryOut(world, current, toDo);
    },
    wanted: (world) => decision?.replicas ?? world.pods().length,
    why: () => `${decision?.reason}: ${decision?.message}`,
  };
}

const workOf = (pod: SimPod, at: number): Reading<{ busy: number; unacked: number; consuming: readonly string[] }> => ({
  value: { busy: pod.busy, unacked: pod.busy, consuming: pod.cordoned ? [] : [QUEUE] },
  at,
});
