import type { Deployment } from "../kinds/worker-pool/deployment.ts";
import type { Pod } from "../kinds/worker-pool/pods.ts";
import type { WorkerPool } from "../kinds/worker-pool/schema.ts";
import type { PoolPlan } from "./decide/policy.ts";
import type { Run } from "./pool-runner.ts";
import type { BrokerSensor } from "./sense/broker-sensor.ts";

/** A pool is judged at least this often, ms; a little less than a second, for timers are early, too. */
const JUDGED_EVERY_MS = 980;

/** What a pool is judged on that comes at once: the rest of it is as old as a second anyway. */
export interface Grounds {
  readonly pool: WorkerPool;
  readonly deployment: Deployment;
  readonly pods: readonly Pod[];
  readonly plan: PoolPlan;
  readonly sensor: BrokerSensor | undefined;
}

/** A pool that has the size it should have, and nothing under way. */
export interface Rest {
  readonly until: number;
  readonly grounds: readonly unknown[];
}

/** Whether the pool may rest after this run. A pool that grows, drains or waits for anything is judged with every look. */
export function restAfter(run: Run, grounds: Grounds, now: number): Rest | undefined {
  const quiet = !run.pending && run.draining === 0 && run.decision.replicas === grounds.deployment.spec.replicas;
  return quiet ? { until: now + JUDGED_EVERY_MS, grounds: flat(grounds) } : undefined;
}

/** Whether nothing has happened since that could change the decision before the second is over. */
export function stillRests(rest: Rest | undefined, grounds: Grounds, now: number): boolean {
  if (rest === undefined || now >= rest.until) return false;
  const fresh = flat(grounds);
  return fresh.length === rest.grounds.length && fresh.every((value, at) => value === rest.grounds[at]);
}

function flat({ pool, deployment, pods, plan, sensor }: Grounds): readonly unknown[] {
  const counts = plan.queues.flatMap(({ name }) => {
    const count = sensor?.live(name)?.value;
    return count !== undefined && "ready" in count ? [count.ready, count.consumers] : [count === undefined, 0];
  });
  return [pool, deployment, sensor, ...counts, ...pods];
}
