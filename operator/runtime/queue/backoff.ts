export interface Backoff {
  /** First wait, ms. */
  readonly baseMs: number;
  /** Longest wait, ms. */
  readonly capMs: number;
  /** Share of the wait that is random: 0 none, 0.5 between half and the whole. Default 0.5. */
  readonly jitter?: number;
}

/**
 * The wait before the next attempt, in ms: `base * 2^failures`, capped, then shortened by up to `jitter` of it, so that clients that failed
 * together do not come back together. Never above `capMs`.
 * @param failures how often it failed in a row before, from 0
 * @param random a number in [0, 1)
 */
export function backoffMs({ baseMs, capMs, jitter = 0.5 }: Backoff, failures: number, random: number): number {
  const whole = Math.min(capMs, baseMs * 2 ** Math.min(failures, 60));
  return whole * (1 - jitter * random);
}
