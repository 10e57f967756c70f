import type { DecideInput, Decision } from "./decide.ts";
import type { NeedWindow } from "./window.ts";

/** What would happen next if nothing new came. */
export interface Next {
  readonly words: string;
  /** When, on the clock of the input, ms; absent where it depends on something else than time. */
  readonly at?: number;
}

export interface NextInput extends Omit<DecideInput, "highestNeed" | "lowestNeed"> {
  readonly needs: NeedWindow;
  readonly backlogPerReplica: number | undefined;
}

/** What would happen next, in words that stay the same while nothing changes. Pure. */
export function nextOf(decision: Decision, input: NextInput): Next {
  const { policy, draining, current, need, lastBusyAt, trustedSince } = input;
  const size = current - draining;
  const fewer = (at: number, to: number): Next => ({ words: `${to} when no more is needed until then`, at });
  switch (decision.reason) {
    case "CoolingDown":
      return fewer(lastBusyAt + policy.cooldownMs, Math.max(policy.minReplicas, policy.scheduledFloor, policy.manualFloor));
    case "ScaleDownWindow":
      return fewer(lastAbove(input.needs, need.replicas, input.now) + policy.downWindowMs, need.replicas);
    case "NewLeader":
      return trustedSince === undefined
        ? { words: "goes on when the backlog is known" }
        : { words: "may shrink from then on", at: trustedSince + policy.downWindowMs };
    case "ScaleUpWindow":
      return { words: `${need.replicas} when so many are needed for the whole of scaleUp.windowSeconds` };
    case "ScaleUpLimit":
      return { words: "more when those that start are ready" };
    case "ScaleDownLimit":
      return { words: "fewer when those that are drained are gone" };
    case "ScalingIneffective":
      return { words: "grows again when tasks are finished" };
    case "AtMaximum":
      return { words: "no more than maxReplicas; fewer when less is needed" };
    case "ScheduledFloor":
      return { words: "fewer when the scheduled floor ends, if no more are needed then" };
    case "ManualFloor":
      return { words: "fewer when spec.replicas is lowered, if no more are needed then" };
    case "Paused":
      return { words: "goes on when the annotation longshore.dev/paused is taken away" };
    case "BrokerAlarm":
      return { words: "goes on when the alarm is over" };
    default:
  }
  if (decision.held) return { words: "goes on when the backlog is known for sure" };
  if (!decision.act) return { words: "nothing: mode is Advise" };
  if (draining > 0) return { words: `${draining} more ${draining === 1 ? "goes" : "go"} when what runs there has finished` };
  if (decision.replicas !== size) return { words: `from ${size} to ${decision.replicas}` };
  return input.backlogPerReplica === undefined || decision.reason === "ArrivalRate"
    ? { words: "follows the tasks that arrive" }
    : { words: thresholds(input.backlogPerReplica, decision.replicas, policy.minReplicas, policy.maxReplicas) };
}

/** When more than that was needed last; now, if it still is. */
function lastAbove(needs: NeedWindow, replicas: number, now: number): number {
  const index = needs.findLastIndex((one) => one.replicas > replicas);
  return index < 0 ? now : (needs[index + 1]?.from ?? now);
}

function thresholds(per: number, replicas: number, least: number, most: number): string {
  const more = replicas < most ? [`more above a backlog of ${per * replicas}`] : [];
  const fewer = replicas > least ? [`fewer at ${per * (replicas - 1)} and below`] : [];
  return [...more, ...fewer].join(", ") || "stays";
}
