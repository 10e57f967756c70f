import type { Reason } from "../../runtime/truth/reasons.ts";
import type { Decision } from "./decide.ts";

/** What keeps a pool from being scaled as decided, although everything is known. */
export interface Obstacle {
  readonly reason: Reason;
  readonly message: string;
  /** Whether nothing may change, or the size may only not fall. */
  readonly holds: "all" | "down";
}

/**
 * The decision as far as the obstacle lets it pass. Where nothing may change, what is being drained is given back to the work, for whoever
 * else scales the pool counts on it.
 */
export function overrule(decision: Decision, obstacle: Obstacle | undefined, current: number, draining: number): Decision {
  if (obstacle === undefined) return decision;
  const { reason, message, holds } = obstacle;
  const size = current - draining;
  if (holds === "down" && decision.replicas > size) return { ...decision, message: `${decision.message}; ${message}` };
  return { ...decision, replicas: holds === "all" ? current : size, reason, message, held: true };
}
