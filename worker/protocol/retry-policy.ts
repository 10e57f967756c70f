/** When to run a failed task again, under Celery's own option names. Seconds. celery/app/task.py, celery/app/autoretry.py */
export interface RetryPolicy {
  /** null never gives up. Default 3. */
  readonly max_retries?: number | null;
  /** Wait where no backoff is set. Default 180. */
  readonly default_retry_delay?: number;
  /** true, or the factor: wait factor * 2^retries. Default false. */
  readonly retry_backoff?: boolean | number;
  /** Default 600. */
  readonly retry_backoff_max?: number;
  /** Wait anything between 0 and the backoff, so that what failed together does not come back together. Default true. */
  readonly retry_jitter?: boolean;
}

/**
 * Seconds to wait before the next attempt, or undefined when there is none left. `retries` counts the attempts that were retries:
 * 0 for a first failure. `random` is in [0, 1). An explicit `countdown` of the task overrides the policy's wait, never its limit.
 */
export function retryDelay(policy: RetryPolicy, retries: number, random: number, countdown?: number): number | undefined {
  const limit = policy.max_retries === undefined ? 3 : policy.max_retries;
  if (limit !== null && retries >= limit) return undefined;
  if (countdown !== undefined) return Math.max(0, countdown);
  const { retry_backoff: backoff = false, retry_backoff_max: maximum = 600, retry_jitter: jitter = true } = policy;
  if (backoff === false || backoff === 0) return Math.max(0, policy.default_retry_delay ?? 180);
  // int(max(1.0, retry_backoff)), then get_exponential_backoff_interval of celery/utils/time.py
  const factor = Math.trunc(Math.max(1, Number(backoff)));
  const wait = Math.min(maximum, factor * 2 ** retries);
  return jitter ? Math.floor(random * (Math.trunc(wait) + 1)) : wait;
}
