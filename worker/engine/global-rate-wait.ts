import type { GlobalRates } from "../leases/global-rates.ts";
import { parseRate } from "../protocol/control/control-arguments.ts";
import type { TaskMessage } from "../protocol/task-message.ts";
import type { Task } from "../tasks/define-task.ts";

/** On a message that waited for its place: the attempt that the place was for, so that a retry takes a place of its own. */
const PLACE_HEADER = "longshore-global-rate-place";
/** How long a message waits before it asks again for a place, ms. */
const ASK_AGAIN_MS = 1_800_000;

/** How long a task has to wait in the broker for its place under a rate that all workers share, or undefined when it may start now. */
export async function globalRateWait(
  definition: Pick<Task, "globalRateLimit">,
  task: TaskMessage,
  input: unknown,
  rates: GlobalRates,
): Promise<{ readonly ms: number; readonly headers: Readonly<Record<string, unknown>> } | undefined> {
  const limit = definition.globalRateLimit;
  if (limit === undefined || task.headers[PLACE_HEADER] === task.retries) return undefined;
  const perSecond = parseRate(limit.rate);
  if (perSecond === 0) return undefined;
  const key = limit.key === undefined ? task.name : `${task.name}:${limit.key(input)}`;
  const wait = await rates.take(key, { perSecond, burst: limit.burst ?? 1 });
  if (wait === undefined) return { ms: ASK_AGAIN_MS, headers: {} };
  return wait === 0 ? undefined : { ms: wait, headers: { [PLACE_HEADER]: task.retries } };
}
