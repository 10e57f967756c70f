import { queuePattern } from "./queue-pattern.ts";
import type { WorkerPool } from "./schema.ts";

/** A key of a Secret in the pool's namespace. */
export interface SecretKey {
  readonly name: string;
  readonly key: string;
}

export interface QueueEntry {
  readonly name: string;
  /** How much one of its tasks counts in the backlog. */
  readonly weight: number;
}

/** Every queue whose whole name matches. */
export interface QueuePattern {
  readonly pattern: string;
  readonly weight: number;
}

export type QueueList =
  | { readonly queues: readonly QueueEntry[]; readonly patterns: readonly QueuePattern[] }
  | { readonly problem: string };

/**
 * The entries of `spec.queues`, whether written as a name or as a map. Pure. The CRD cannot tell the two apart, so what it let
 * pass is checked here: `problem` names the entry, what was found and what is expected.
 */
export function queueEntries({ spec }: Pick<WorkerPool, "spec">): QueueList {
  const queues: QueueEntry[] = [];
  const patterns: QueuePattern[] = [];
  for (const [index, entry] of (spec.queues as readonly unknown[]).entries()) {
    const at = `spec.queues[${index}]`;
    const read = readEntry(entry);
    if (read === undefined) {
      return { problem: `${at} is ${JSON.stringify(entry)}; it must be a queue's name, {name, weight} or {pattern, weight}` };
    }
    if ("pattern" in read) {
      const problem = patternProblem(read.pattern, spec.runtime);
      if (problem !== undefined) return { problem: `${at}.pattern is ${JSON.stringify(read.pattern)}; ${problem}` };
      patterns.push(read);
      continue;
    }
    // The worker takes its queues as one list, by comma.
    if (read.name.includes(","))
      return { problem: `${at} is ${JSON.stringify(read.name)}; a worker cannot consume a queue with a comma in its name` };
    const twin = queues.findIndex(({ name }) => name === read.name);
    if (twin >= 0) return { problem: `${at} is ${JSON.stringify(read.name)}, as spec.queues[${twin}] is already` };
    queues.push(read);
  }
  return { queues, patterns };
}

/** `spec.delayedDelivery` as the worker takes it, or what is wrong with it, given the names of the pool's queues. Pure. */
export function delayedRoutes(
  { spec }: Pick<WorkerPool, "spec">,
  queues: readonly string[],
): { readonly routes: string | undefined } | { readonly problem: string } {
  const stranger = spec.delayedDelivery?.findIndex(({ queue }) => !queues.includes(queue)) ?? -1;
  if (stranger >= 0) {
    return { problem: `spec.delayedDelivery[${stranger}].queue is not among spec.queues; name a queue that the pool consumes` };
  }
  return { routes: spec.delayedDelivery?.map(({ queue, routingKey = queue }) => `${queue}=${routingKey}`).join() };
}

/** Our workers and Celery's take a list of names when they start: a pattern is for images that find their queues by themselves. */
function patternProblem(pattern: string, runtime: WorkerPool["spec"]["runtime"]): string | undefined {
  if (runtime !== "custom") return `workers of runtime ${runtime} consume queues by name; name them, or use runtime custom`;
  const read = queuePattern(pattern);
  return "problem" in read ? read.problem : undefined;
}

function readEntry(entry: unknown): QueueEntry | QueuePattern | undefined {
  if (typeof entry === "string") return entry === "" ? undefined : { name: entry, weight: 1 };
  if (typeof entry !== "object" || entry === null) return undefined;
  const { name, pattern, weight = 1, ...others } = entry as { readonly [field: string]: unknown };
  if (typeof weight !== "number" || weight < 0 || Object.keys(others).length > 0) return undefined;
  if (typeof pattern === "string" && pattern !== "" && name === undefined) return { pattern, weight };
  if (pattern !== undefined || typeof name !== "string" || name === "") return undefined;
  return { name, weight };
}
