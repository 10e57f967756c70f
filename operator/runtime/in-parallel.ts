/**
 * Runs `work` for each, at most `limit` at a time, and begins no more when `signal` aborts.
 * Rejects with the first error, or with the signal's reason, after those that run have ended.
 */
export async function inParallel<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const rest = items.values();
  let failed = false;
  const lanes = Array.from({ length: Math.min(limit, items.length) }, async () => {
    for (const item of rest) {
      if (failed) return;
      try {
        signal?.throwIfAborted();
        await work(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  });
  const results = await Promise.allSettled(lanes);
  for (const result of results) if (result.status === "rejected") throw result.reason;
}
