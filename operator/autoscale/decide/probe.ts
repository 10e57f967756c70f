import type { Observation } from "../observe/observation.ts";

/** Trying out how long a task takes, before there is any measurement. */
export interface Probe {
  readonly replicas: number;
  readonly since: number;
}

const FIRST = 1;
const FACTOR = 4;

/**
 * The cold start of a wait objective: one replica, then four times as many each time that a quarter of the objective has passed
 * without one finished task. It ends with the first measurement, or with the backlog.
 */
export function probeOf(
  before: Probe | undefined,
  { total }: Observation,
  serviceSeconds: number | undefined,
  waitSeconds: number,
  now: number,
): Probe | undefined {
  if (serviceSeconds !== undefined || total.value === 0) return undefined;
  if (before === undefined) return { replicas: FIRST, since: now };
  return now - before.since >= (waitSeconds * 1_000) / FACTOR ? { replicas: before.replicas * FACTOR, since: now } : before;
}
