import { DRAINING_ANNOTATION, WORKER_CONTAINER } from "../../../worker/contract/names.ts";
import type { Pod } from "../../kinds/worker-pool/pods.ts";
import type { Beats } from "./heartbeats.ts";
import type { PodReadings, PodWork, Reading, WorkCounters } from "./reading.ts";

/** Lowest first: the ReplicaSet controller removes pods in this order, among those that are ready. */
export const DELETION_COST_ANNOTATION = "controller.kubernetes.io/pod-deletion-cost";
export const LOWEST_COST = "-2147483647";

/** What the pods and their heartbeats say, as readings. `answers` stands in for heartbeats where a worker has none. Pure. */
export function podReadings(pods: readonly Pod[], beats: Beats, answers: ReadonlyMap<string, Reading<PodWork>>): readonly PodReadings[] {
  return pods.map((pod) => {
    const { name, annotations, deletionTimestamp, creationTimestamp } = pod.metadata;
    const ready = pod.status?.conditions?.find(({ type }) => type === "Ready");
    const isReady = ready?.status === "True";
    return {
      name,
      ready: isReady,
      running: runs(pod),
      leaving: deletionTimestamp !== undefined || pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed",
      createdAt: time(creationTimestamp) ?? 0,
      readyAt: isReady && ready !== undefined && "lastTransitionTime" in ready ? time(ready.lastTransitionTime) : undefined,
      drainingSince: time(annotations?.[DRAINING_ANNOTATION]) ?? (annotations?.[DRAINING_ANNOTATION] === undefined ? undefined : 0),
      work: workOf(beats, name) ?? answers.get(name),
      neverBeat: beats.readAt !== undefined && !beats.byPod.has(name),
    };
  });
}

/** The counters of every worker that was ever heard, be it long ago. */
export function countersOf(beats: Beats): ReadonlyMap<string, WorkCounters> {
  return new Map(
    [...beats.byPod].map(([pod, { heartbeat: of }]) => {
      const { boot, finished, busyMs, redelivered } = of;
      return [pod, { boot, finished, busyMs, redelivered }];
    }),
  );
}

/** Median time from a pod's creation until it was ready, s; undefined without a ready pod. Both times are the API server's. */
export function startupSecondsOf(pods: readonly PodReadings[]): number | undefined {
  const took = pods
    .flatMap(({ createdAt, readyAt }) => (readyAt === undefined ? [] : [Math.max(0, readyAt - createdAt) / 1_000]))
    .sort((a, b) => a - b);
  return took[Math.floor(took.length / 2)];
}

function workOf({ byPod }: Beats, pod: string): Reading<PodWork> | undefined {
  const beat = byPod.get(pod);
  if (beat?.heardAt === undefined) return undefined;
  const { busy, unacked, consuming } = beat.heartbeat;
  return { value: { busy, unacked, consuming }, at: beat.heardAt };
}

/** Without the worker's own container, any that runs counts. */
function runs({ status }: Pod): boolean {
  const containers = status?.containerStatuses ?? [];
  const worker = containers.filter(({ name }) => name === WORKER_CONTAINER);
  return (worker.length > 0 ? worker : containers).some(({ state }) => state !== undefined && "running" in state);
}

function time(text: unknown): number | undefined {
  const ms = typeof text === "string" ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}
