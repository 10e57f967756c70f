import type { Resource } from "../adapters/ports.ts";
import type { Deployment } from "../kinds/worker-pool/deployment.ts";
import type { Pod } from "../kinds/worker-pool/pods.ts";
import { type WorkerPool, workerPoolKind } from "../kinds/worker-pool/schema.ts";
import { type PoolOutcome, type PoolScaling, poolStatus } from "../kinds/worker-pool/status.ts";
import type { Clock } from "../runtime/clock.ts";
import { GROUP, VERSION } from "../runtime/define-kind.ts";
import { errorFields, type Log } from "../runtime/log.ts";
import { keyOf, type ObjectKey } from "../runtime/object.ts";
import { rfc3339 } from "../runtime/truth/conditions.ts";
import type { StatusWriter } from "../runtime/truth/status.ts";
import { busySlots } from "./metrics.ts";
import type { Run } from "./pool-runner.ts";

const { kind, plural } = workerPoolKind;
const POOLS: Resource = { group: GROUP, version: VERSION, plural, kind };

/** A pool's status is written at most this often, ms. */
const EVERY_MS = 1_000;
/** For each pool that there is, ms: where figures alone have changed they are written so much less often. A thousand pools ask the API server for a hundred writes a second. */
const FIGURES_EVERY_MS = 10;

export interface Publisher {
  /**
   * Writes the pool's status when it differs, at most once a second, figures of many pools less often; not while a burst is watched, for what is
   * decided comes next. Never throws: what fails is tried again with the next run.
   */
  publish(pool: WorkerPool, deployment: Deployment | undefined, pods: readonly Pod[], run: Run | undefined): void;
  forget(pool: ObjectKey): void;
  /** Resolves when what is being written is. */
  settled(): Promise<void>;
}

export interface PublisherOptions {
  readonly status: StatusWriter;
  readonly outcomeOf: (pool: ObjectKey) => PoolOutcome | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export function createPublisher({ status, outcomeOf, clock, log }: PublisherOptions): Publisher {
  const last = new Map<ObjectKey, { readonly at: number; readonly decided: string }>();
  const times = new Map<ObjectKey, { readonly at: number; readonly text: string }>();
  const writing = new Map<ObjectKey, Promise<void>>();
  /** The same moment is always the same text, although two clocks drift: nothing is written while nothing changes. */
  const timeOf = (key: ObjectKey, at: number | undefined): string | undefined => {
    if (at === undefined) return undefined;
    const known = times.get(key);
    const text = known?.at === at ? known.text : rfc3339(clock.now() + at - clock.elapsed());
    times.set(key, { at, text });
    return text;
  };

  return {
    publish(pool, deployment, pods, run) {
      const key = keyOf(pool);
      const now = clock.elapsed();
      const before = last.get(key);
      const decided =
        run === undefined ? "" : `${run.decision.reason} ${run.decision.replicas} ${run.draining} ${deployment?.spec.replicas}`;
      const every = before?.decided === decided ? Math.max(EVERY_MS, last.size * FIGURES_EVERY_MS) : EVERY_MS;
      if (run?.pending === true || writing.has(key) || (before !== undefined && now - before.at < every)) return;
      const scaling = run && {
        reason: run.decision.reason,
        message: run.decision.message,
        replicas: run.decision.replicas,
        draining: run.draining,
        busy: busySlots(run.sight.observation),
        backlog: backlogOf(run),
        lastScaleTime: run.lastScaleTime ?? pool.status?.autoscaling?.lastScaleTime,
        next: { words: run.next.words, time: timeOf(key, run.next.at) },
        observed: observedOf(run),
      };
      const { conditions, fields } = poolStatus({ pool, deployment, pods, outcome: outcomeOf(key), scaling });
      last.set(key, { at: now, decided });
      const write = status
        .write(POOLS, pool, { conditions, fields })
        .then(
          () => undefined,
          (error: unknown) => log.warn({ pool: key, ...errorFields(error) }, "cannot write the pool's status, trying again"),
        )
        .finally(() => writing.delete(key));
      writing.set(key, write);
    },
    forget(pool) {
      last.delete(pool);
      times.delete(pool);
    },
    async settled() {
      await Promise.all(writing.values());
    },
  };
}

/** A whole number of tasks; what was never read is not shown. */
function backlogOf({ sight }: Run): number | undefined {
  const { value, trust } = sight.observation.total;
  return trust === "missing" && value === 0 ? undefined : Math.round(value);
}

/** Rounded: a figure that only trembles is no news. */
function observedOf({ sight: { observation, rates } }: Run): NonNullable<PoolScaling["observed"]> {
  const { ready, inFlight, total } = observation;
  return {
    ready: rounded(ready.value),
    inFlight: rounded(inFlight.value),
    trust: total.trust,
    arrivalRate: rounded(Math.max(rates.fast, rates.slow)),
    ...(rates.serviceSeconds !== undefined && { serviceSeconds: rounded(rates.serviceSeconds) }),
  };
}

const rounded = (value: number): number => (value >= 100 ? Math.round(value) : Number(value.toPrecision(2)));
