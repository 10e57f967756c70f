import { type QueuePattern, queueEntries } from "../../kinds/worker-pool/inputs.ts";
import type { WorkerPool } from "../../kinds/worker-pool/schema.ts";
import type { Cooperation } from "../drain/drain-plan.ts";
import type { Pause, Policy } from "./decide.ts";
import type { EvaluateInput } from "./evaluate.ts";
import type { Obstacle } from "./overrule.ts";

/** Annotation on a WorkerPool: `all`, `up` or `down`. Anything else pauses all: whoever set it wanted a pause. */
const PAUSED_ANNOTATION = "longshore.dev/paused";

/** What a pool's spec asks of the autoscaler. */
export interface PoolPlan {
  readonly queues: readonly { readonly name: string; readonly weight: number }[];
  readonly patterns?: readonly QueuePattern[];
  /** Patterns of which it is not known now what they mean. */
  readonly unresolved?: readonly string[];
  readonly concurrency: number;
  readonly policy: Policy;
  /** undefined: a pool of a fixed size. */
  readonly target: EvaluateInput["target"];
  /** The size of a pool without autoscaling. */
  readonly fixed: number;
  readonly pause: Pause;
  readonly cooperation: Cooperation;
  /** 0: none. */
  readonly drainTimeoutMs: number;
  readonly obstacle?: Obstacle | undefined;
}

/** Reads the plan from the pool; a spec with queues that cannot be read has none, and its own condition says so. Pure. */
export function planOf(pool: WorkerPool, scheduledFloor: number, obstacle?: Obstacle): PoolPlan {
  const { spec } = pool;
  const { autoscaling } = spec;
  const entries = queueEntries(pool);
  return {
    queues: "queues" in entries ? entries.queues : [],
    patterns: "queues" in entries ? entries.patterns : [],
    concurrency: spec.concurrency,
    fixed: spec.replicas ?? 1,
    obstacle,
    pause: pauseOf(pool.metadata.annotations?.[PAUSED_ANNOTATION]),
    cooperation: spec.runtime === "custom" ? "none" : "remote-control",
    drainTimeoutMs: (autoscaling?.scaleDown.drainTimeoutSeconds ?? 0) * 1_000,
    target: autoscaling && { backlogPerReplica: autoscaling.backlogPerReplica, waitSeconds: autoscaling.waitSeconds },
    policy: {
      minReplicas: autoscaling?.minReplicas ?? 0,
      maxReplicas: autoscaling?.maxReplicas ?? Number.MAX_SAFE_INTEGER,
      upWindowMs: (autoscaling?.scaleUp.windowSeconds ?? 0) * 1_000,
      upMaxStep: autoscaling?.scaleUp.maxStep,
      downWindowMs: (autoscaling?.scaleDown.windowSeconds ?? 0) * 1_000,
      downMaxStep: autoscaling?.scaleDown.maxStep,
      cooldownMs: (autoscaling?.cooldownSeconds ?? 0) * 1_000,
      manualFloor: spec.replicas ?? 0,
      scheduledFloor,
      advise: autoscaling?.mode === "Advise",
    },
  };
}

function pauseOf(annotation: string | undefined): Pause {
  if (annotation === undefined || annotation === "false" || annotation === "none") return "none";
  return annotation === "up" || annotation === "down" ? annotation : "all";
}
