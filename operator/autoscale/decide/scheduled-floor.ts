import type { WorkerPool } from "../../kinds/worker-pool/schema.ts";
import { activeFloor } from "./floors.ts";
import type { Obstacle } from "./overrule.ts";

/** A pool's floor of one minute. */
export interface ScheduledFloor {
  readonly minute: number;
  readonly of: WorkerPool | undefined;
  readonly replicas: number;
  /** The floor cannot be read: the pool may grow, and never shrinks below what it might ask for. */
  readonly obstacle?: Obstacle;
}

export const NO_FLOOR: ScheduledFloor = { minute: 0, of: undefined, replicas: 0 };

/** The scheduled floor at a time (wall clock, ms); looked up once a minute and whenever the pool changes. Never throws. */
export function scheduledFloor(pool: WorkerPool, known: ScheduledFloor, now: number): ScheduledFloor {
  const minute = Math.floor(now / 60_000);
  if (known.minute === minute && known.of === pool) return known;
  try {
    return { minute, of: pool, replicas: activeFloor(pool.spec.autoscaling?.floors ?? [], now) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const message = `spec.autoscaling.floors cannot be read: ${error.message}; the size does not fall until it can`;
    return { minute, of: pool, replicas: 0, obstacle: { reason: "InvalidSpec", message, holds: "down" } };
  }
}
