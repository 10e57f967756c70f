import type * as z from "zod";
import type { ConditionInput } from "../../runtime/truth/conditions.ts";
import { REASONS, type Reason } from "../../runtime/truth/reasons.ts";
import type { StatusFields } from "../../runtime/truth/status.ts";
import type { autoscalingStatusSchema } from "./autoscaling.ts";
import type { Deployment } from "./deployment.ts";
import { type Pod, podProblem } from "./pods.ts";
import type { WorkerPool } from "./schema.ts";

/** How the pool's last reconcile ended. */
export interface PoolOutcome {
  readonly status: "True" | "False" | "Unknown";
  readonly reason: Reason;
  readonly message: string;
}

/** What the autoscaler knows of a pool. */
export interface PoolScaling {
  readonly reason: Reason;
  readonly message: string;
  /** Replicas that shall serve. */
  readonly replicas: number;
  readonly draining: number;
  readonly busy: number;
  /** undefined: not known at all. */
  readonly backlog: number | undefined;
  /** RFC 3339. */
  readonly lastScaleTime: string | undefined;
  readonly next?: { readonly words: string; readonly time: string | undefined } | undefined;
  readonly observed?: NonNullable<z.output<typeof autoscalingStatusSchema>["observed"]> | undefined;
}

export interface PoolStatusInputs {
  readonly pool: WorkerPool;
  readonly deployment: Deployment | undefined;
  /** Those of the pool; pods that are being deleted included. */
  readonly pods: readonly Pod[];
  /** undefined: not reconciled yet. */
  readonly outcome: PoolOutcome | undefined;
  /** undefined: not looked at yet. */
  readonly scaling: PoolScaling | undefined;
}

export interface PoolStatus {
  readonly fields: StatusFields;
  readonly conditions: readonly ConditionInput[];
}

/** The whole status of a pool, from what four others know. Pure: nothing is written here, and equal inputs give equal statuses. */
export function poolStatus(inputs: PoolStatusInputs): PoolStatus {
  const { pool, deployment, pods, scaling } = inputs;
  const matchLabels = deployment?.spec.selector.matchLabels;
  return {
    conditions: [readyOf(inputs)],
    fields: {
      replicas: pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined).length,
      readyReplicas: deployment?.status?.readyReplicas ?? 0,
      desiredReplicas: scaling?.replicas ?? deployment?.spec.replicas,
      drainingReplicas: scaling?.draining ?? 0,
      busy: scaling?.busy,
      backlog: scaling?.backlog,
      selector:
        matchLabels &&
        Object.entries(matchLabels)
          .map(([label, value]) => `${label}=${value}`)
          .join(","),
      autoscaling: pool.spec.autoscaling === undefined || scaling === undefined ? undefined : autoscalingOf(scaling),
    },
  };
}

const autoscalingOf = ({ reason, message, replicas, lastScaleTime, observed, next }: PoolScaling): object => ({
  reason,
  message,
  replicas,
  lastScaleTime,
  observed,
  next: next?.words,
  nextTime: next?.time,
});

/** Read top to bottom: the first that has something to say is nearest to the cause. */
function readyOf({ deployment, pods, outcome, scaling }: PoolStatusInputs): ConditionInput {
  if (outcome === undefined) return { status: "Unknown", reason: "Pending", message: REASONS.Pending.advice };
  if (outcome.status !== "True") return outcome;
  const problem = podProblem(pods, deployment);
  if (problem !== undefined) return { status: "False", reason: problem.reason, message: withAdvice(problem) };
  if (scaling === undefined) return { status: "Unknown", reason: "Pending", message: REASONS.Pending.advice };
  // A pool that holds its size still works; only a broken sensor, a missing queue or useless growth keeps it from doing its job.
  if (BROKEN.has(scaling.reason)) return { status: "False", reason: scaling.reason, message: withAdvice(scaling) };
  const { reason, message, replicas, draining } = scaling;
  if (HOLDS.has(reason)) return { status: "True", reason, message: withAdvice(scaling) };
  const readyReplicas = deployment?.status?.readyReplicas ?? 0;
  if (draining > 0) return { status: "True", reason: "ScalingDown", message };
  if (readyReplicas < replicas && (deployment?.spec.replicas ?? 0) >= replicas) return { status: "True", reason: "ScalingUp", message };
  return { status: "True", reason, message };
}

/** A hold is said before whatever else goes on: it is why nothing else does. */
const HOLDS: ReadonlySet<Reason> = new Set<Reason>(["BrokerAlarm", "ZeroUnconfirmed", "NewLeader", "Paused"]);

/** Decisions that say that the pool cannot do its job. */
export const BROKEN: ReadonlySet<Reason> = new Set<Reason>([
  "BacklogUnknown",
  "BacklogStale",
  "BacklogContradicted",
  "QueueMissing",
  "DrainUnknown",
  "ScalingIneffective",
  "Conflict",
  "InvalidSpec",
]);

/** What is, then what to do about it. */
function withAdvice({ reason, message }: { readonly reason: Reason; readonly message: string }): string {
  return `${message.replace(/\.?$/, ".")} ${REASONS[reason].advice}`;
}
