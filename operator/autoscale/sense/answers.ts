import { nodeName } from "../../../worker/contract/names.ts";
import type { RemoteControlPort } from "../../adapters/ports.ts";
import type { PodWork, Reading } from "./reading.ts";

const ANSWER_WITHIN_MS = 1_000;
/**
 * What a Python Celery worker holds: taken and waiting for its time; waiting for a slot; running. Asked in the order in which a task moves on,
 * and answered in that order: one that moves meanwhile is seen twice, never not at all.
 */
const HELD = ["scheduled", "reserved", "active"] as const;

/**
 * What Python Celery workers do, by asking them: four broadcasts, however many pods. A worker that leaves one of them unanswered is absent:
 * silence is never idleness. Throws when the broker cannot be reached.
 */
export async function askWorkers(
  control: RemoteControlPort,
  pods: readonly string[],
  elapsed: () => number,
): Promise<ReadonlyMap<string, Reading<PodWork>>> {
  const nodes = pods.map(nodeName);
  const at = elapsed();
  const ask = (method: string) => control.ask(method, {}, nodes, ANSWER_WITHIN_MS);
  const [held, consuming] = await Promise.all([Promise.all(HELD.map(ask)), ask("active_queues")]);
  const answers = new Map<string, Reading<PodWork>>();
  for (const pod of pods) {
    const lists = held.map((replies) => asList(replies.get(nodeName(pod))));
    const queues = asList(consuming.get(nodeName(pod)));
    if (queues === undefined || lists.some((list) => list === undefined)) continue;
    const busy = lists.at(-1)?.length ?? 0;
    const unacked = lists.reduce((sum, list) => sum + (list?.length ?? 0), 0);
    answers.set(pod, { value: { busy, unacked, consuming: queues.flatMap(nameOf) }, at });
  }
  return answers;
}

/** `active_queues` is null in a worker that consumes nothing. */
const asList = (reply: unknown): readonly unknown[] | undefined => (reply === null ? [] : Array.isArray(reply) ? reply : undefined);

const nameOf = (queue: unknown): readonly string[] =>
  typeof queue === "object" && queue !== null && "name" in queue && typeof queue.name === "string" ? [queue.name] : [];
