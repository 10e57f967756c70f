import type { OraclePlan } from "./oracle.ts";
import type { System } from "./system.ts";

/**
 * Carries out a plan that was made beforehand: starts replicas early enough to serve in time, and takes away the least busy ones. What the
 * plan's rounding left over is finished: the last replica stays while something waits or runs.
 */
export function createOracle({ stepMs, serving }: OraclePlan, startupMs: number): System {
  const early = Math.ceil(startupMs / stepMs);
  let step = 0;
  /** Pods that must be there now so that enough serve when they have started. */
  const wantedAt = (at: number): number => {
    let most = 0;
    for (let ahead = 0; ahead <= early; ahead++) most = Math.max(most, serving[at + ahead] ?? 0);
    return most;
  };
  return {
    next: () => step * stepMs,
    act(world) {
      const pods = world.pods();
      const left = pods.length > 0 && world.ready + world.unacked > 0 ? 1 : 0;
      const wanted = Math.max(left, wantedAt(step++));
      if (wanted > pods.length) world.create(wanted - pods.length);
      const surplus = pods.length - wanted;
      if (surplus <= 0) return;
      for (const { name } of [...pods].sort((a, b) => a.busy - b.busy).slice(0, surplus)) world.remove(name);
    },
    wanted: () => wantedAt(Math.max(0, step - 1)),
  };
}
