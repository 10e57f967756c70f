import type { Reason } from "../../runtime/truth/reasons.ts";
import type { Observation } from "../observe/observation.ts";
import type { Need } from "./need.ts";
import { isPaused, RULES } from "./rules.ts";

/** Limits of one pool; ms where the API has seconds. */
export interface Policy {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly upWindowMs: number;
  readonly upMaxStep: number | undefined;
  readonly downWindowMs: number;
  readonly downMaxStep: number | undefined;
  readonly cooldownMs: number;
  /** `spec.replicas`: a floor set by hand. */
  readonly manualFloor: number;
  /** The highest scheduled floor that holds now. */
  readonly scheduledFloor: number;
  readonly advise: boolean;
}

export type Pause = "none" | "all" | "up" | "down";

export interface DecideInput {
  readonly now: number;
  /** `spec.replicas` of the Deployment. Pods that are starting count. */
  readonly current: number;
  /** Of these, how many we are draining. */
  readonly draining: number;
  /** Pods that were asked for and are not ready. */
  readonly starting: number;
  readonly observation: Observation;
  readonly need: Need;
  /** Highest need within the window for shrinking, and lowest within the one for growing. */
  readonly highestNeed: number;
  readonly lowestNeed: number;
  /** When the pool last had something to do. */
  readonly lastBusyAt: number;
  /** Since when this process has had trusted data of the pool; undefined: never yet. */
  readonly trustedSince: number | undefined;
  /** Why more replicas would not help, in words; absent when nothing speaks against it. */
  readonly ineffective?: string | undefined;
  readonly pause: Pause;
  readonly policy: Policy;
}

export interface Decision {
  /** Replicas that shall serve: those that are being drained are not counted. */
  readonly replicas: number;
  readonly reason: Reason;
  /** In words, with the inputs. */
  readonly message: string;
  /** The data does not allow to shrink: what is being drained is kept, and not removed. */
  readonly held: boolean;
  /** False: report only. */
  readonly act: boolean;
}

/**
 * How many replicas shall serve, and why. Never leaves the bounds, unless the pool is paused; never shrinks on data that is not fresh;
 * never acts in mode Advise.
 */
export function decide(input: DecideInput): Decision {
  const start: Decision = { replicas: input.need.replicas, reason: input.need.reason, message: input.need.words, held: false, act: true };
  return RULES.reduce((decision, rule) => rule(decision, input), start);
}

/** The decision for a pool without `autoscaling`: the size that its owner, or an external autoscaler, has set. `current`: the Deployment's. */
export function decideFixed(replicas: number, current: number, pause: Pause): Decision {
  if (isPaused(pause, replicas, current)) {
    return {
      replicas: current,
      reason: "Paused",
      message: `paused at ${current}; spec.replicas asks for ${replicas}`,
      held: true,
      act: true,
    };
  }
  return { replicas, reason: "FixedSize", message: `spec.replicas asks for ${replicas}`, held: false, act: true };
}
