import type { Observation } from "../observe/observation.ts";
import type { Progress } from "../observe/progress.ts";
import type { RateFigures } from "../observe/rates.ts";
import { type Decision, decide, decideFixed, type Pause, type Policy } from "./decide.ts";
import { type Effect, judgeEffect, NO_EFFECT } from "./effect.ts";
import { needOf } from "./need.ts";
import { type Next, nextOf } from "./next.ts";
import { type Probe, probeOf } from "./probe.ts";
import { addNeed, highestNeed, lowestNeed, type NeedWindow } from "./window.ts";

/** What one pool's decisions remember. It is in memory only: a new leader begins from the size that it finds, and holds. */
export interface Memory {
  readonly needs: NeedWindow;
  readonly lastBusyAt: number;
  readonly trustedSince: number | undefined;
  readonly probe: Probe | undefined;
  readonly effect: Effect;
}

export interface EvaluateInput {
  readonly now: number;
  readonly current: number;
  readonly draining: number;
  readonly starting: number;
  readonly observation: Observation;
  readonly rates: RateFigures;
  /** What the workers have finished so far; absent when they do not say. */
  readonly progress?: Progress | undefined;
  readonly startupSeconds: number;
  readonly concurrency: number;
  readonly pause: Pause;
  /** The targets; undefined for a pool of a fixed size. */
  readonly target: { readonly backlogPerReplica?: number | undefined; readonly waitSeconds?: number | undefined } | undefined;
  readonly policy: Policy;
  /** For a pool without autoscaling. */
  readonly fixed: number;
}

/** The memory of a pool that was seen for the first time: as if its present size had been needed until now. */
export const freshMemory = (size: number, now: number): Memory => ({
  needs: [{ from: now, replicas: size }],
  lastBusyAt: now,
  trustedSince: undefined,
  probe: undefined,
  effect: NO_EFFECT,
});

/** One step of the autoscaler: what it remembers next, and what it decides. Pure: the simulator calls the same. */
export function evaluate(
  memory: Memory,
  input: EvaluateInput,
): { readonly memory: Memory; readonly decision: Decision; readonly next: Next } {
  const { now, observation, policy, target, current, draining } = input;
  if (target === undefined) {
    const decision = decideFixed(input.fixed, current, input.pause);
    return { memory, decision, next: { words: "changes with spec.replicas" } };
  }
  const probe = probeOf(memory.probe, observation, input.rates.serviceSeconds, target.waitSeconds ?? 0, now);
  const need = needOf({ ...input, ...target, probe: probe?.replicas ?? 1 });
  const longest = Math.max(policy.upWindowMs, policy.downWindowMs);
  const wanted = Math.max(need.replicas, Math.min(need.steady, current - draining));
  const needs = addNeed(memory.needs, wanted, now, longest);
  const busy = observation.total.value > 0 || observation.total.trust !== "fresh";
  const next: Memory = {
    needs,
    lastBusyAt: busy ? now : memory.lastBusyAt,
    trustedSince: memory.trustedSince ?? (observation.total.trust === "fresh" ? now : undefined),
    probe,
    effect: judgeEffect(memory.effect, input),
  };
  const seen = {
    ...input,
    need,
    lastBusyAt: next.lastBusyAt,
    trustedSince: next.trustedSince,
    ineffective: next.effect.ineffective,
  };
  const decision = decide({
    ...seen,
    highestNeed: highestNeed(needs, now, policy.downWindowMs),
    lowestNeed: lowestNeed(needs, now, policy.upWindowMs),
  });
  return { memory: next, decision, next: nextOf(decision, { ...seen, needs, backlogPerReplica: target.backlogPerReplica }) };
}
