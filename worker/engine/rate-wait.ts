import type { TaskMessage } from "../protocol/task-message.ts";
import type { TaskSettings } from "./task-settings.ts";

/** On a message that waited for its place: the attempt that the place was for, so that a retry takes a place of its own. */
const PLACE_HEADER = "longshore-rate-place";
/** Shorter waits than this are not worth the trip to the broker and back, ms. */
const SOON_MS = 20;
/** How long a message waits before it asks again for a place, ms. */
const ASK_AGAIN_MS = 30_000;

/** How long a task has to wait in the broker for its rate, or undefined when it may start now. */
export function rateWait(
  task: TaskMessage,
  settings: Pick<TaskSettings, "takePlace">,
  now: number,
): { readonly ms: number; readonly headers: Readonly<Record<string, unknown>> } | undefined {
  if (task.headers[PLACE_HEADER] === task.retries) return undefined;
  const place = settings.takePlace(task.name, now);
  if (place === undefined) return { ms: ASK_AGAIN_MS, headers: {} };
  return place - now <= SOON_MS ? undefined : { ms: place - now, headers: { [PLACE_HEADER]: task.retries } };
}
