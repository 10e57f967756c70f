import { type QueueReadings, TOTALS_LAG_MS, TOTALS_STALE_MS, type ZeroMemory } from "../sense/reading.ts";

/**
 * Whether a queue's zero may be believed. A quorum queue answers a passive declare with 0 messages and 0 consumers when its leader
 * does not reply within 250 ms (rabbit_quorum_queue:stat), so a zero counts only once a second sensor agrees:
 * - a worker's heartbeat says that it consumes the queue, and the answer shows consumers: only the leader itself knows them; or
 * - the broker's totals, read long enough after the count became 0, say 0 too, and no worker says that it consumes the queue while the answer
 *   shows no consumers: a leader that stalled before its count came into the totals leaves an old 0 there; or
 * - the broker lists it as a classic queue: there the queue's own process answers, or nobody does.
 * A zero that was agreed upon stays so until another count is seen. Never trusts the first zero on its word alone.
 */
export function rememberZero(
  before: ZeroMemory | undefined,
  queue: Omit<QueueReadings, "zero">,
  heardConsumer: boolean,
  now: number,
): ZeroMemory | undefined {
  const live = queue.live?.value;
  if (live === undefined || !("ready" in live) || live.ready > 0) return undefined;
  const since = before?.since ?? queue.live?.at ?? now;
  const { totals } = queue;
  const leaderSilent = heardConsumer && live.consumers === 0;
  const totalsAgree =
    !leaderSilent &&
    totals !== undefined &&
    totals.value.ready === 0 &&
    now - totals.at <= TOTALS_STALE_MS &&
    totals.at - TOTALS_LAG_MS >= since;
  const leaderAnswered = heardConsumer && live.consumers > 0;
  const cannotLie = totals?.value.type === "classic";
  return { since, confirmed: before?.confirmed === true || totalsAgree || leaderAnswered || cannotLie };
}
