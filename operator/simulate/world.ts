import { createBacklog } from "./backlog.ts";
import { createEventHeap } from "./event-heap.ts";
import type { Trace } from "./trace.ts";

/** One replica of the model. */
export interface SimPod {
  readonly name: string;
  readonly createdAt: number;
  readonly readyAt: number;
  /** Tasks that it runs. */
  readonly busy: number;
  readonly ready: boolean;
  /** It takes no new task. */
  readonly cordoned: boolean;
  readonly finished: number;
  /** Run times of finished tasks, ms. */
  readonly busyMs: number;
}

export interface WorldOptions {
  readonly trace: Trace;
  /** From a pod's creation until it consumes, ms. */
  readonly startupMs: number;
  readonly concurrency: number;
  readonly replicas: number;
  /** What a removed pod runs may go on for so long, ms; then it is killed and its tasks return to the head of the queue. */
  readonly graceMs: number;
}

/** A queue, its arrivals and its consumers, in time that is told to it. Times are ms from the start of the trace. */
export interface World {
  /** Lets everything happen up to and including this time. */
  advance(to: number): void;
  readonly now: number;
  /** Waiting in the queue. */
  readonly ready: number;
  /** Running in pods, those that are leaving included. */
  readonly unacked: number;
  /** Pods that count as replicas, oldest first. */
  pods(): readonly SimPod[];
  create(count: number): void;
  cordon(pod: string, on: boolean): void;
  /** Takes the pod out of the replicas: SIGTERM. */
  remove(pod: string): void;
  /** Tasks that have started or still wait are both in it: every task of the trace that has arrived. */
  readonly waits: Float64Array;
  /** How long pods existed, all together, s: from creation until the last task ended and the pod was gone. */
  replicaSeconds(): number;
  /** Pods that ran something when they were told to stop, and tasks that were killed. */
  readonly told: { readonly pods: number; readonly busy: number; readonly killed: number };
  /** Whether every task of the trace has arrived, started and ended. */
  readonly done: boolean;
}

interface Pod {
  name: string;
  createdAt: number;
  readyAt: number;
  busy: number;
  ready: boolean;
  cordoned: boolean;
  finished: number;
  busyMs: number;
  leaving: boolean;
  gone: boolean;
}

type Event = { readonly at: number; readonly pod: Pod } & (
  | { readonly kind: "ready" | "kill" }
  | { readonly kind: "end"; readonly task: number }
);

/** FIFO queue, pods that take a while to start, slots that a broker fills in turns. Deterministic: the same calls give the same world. */
export function createWorld({ trace, startupMs, concurrency, replicas, graceMs }: WorldOptions): World {
  const total = trace.arrivedAt.length;
  const waits = new Float64Array(total).fill(Number.NaN);
  const events = createEventHeap<Event>();
  const backlog = createBacklog();
  const running = new Map<number, Pod>();
  const told = { pods: 0, busy: 0, killed: 0 };
  let serving: Pod[] = [];
  let arrived = 0;
  let ended = 0;
  let now = 0;
  let made = 0;
  let turn = 0;
  let free = 0;
  /** Replica-milliseconds of pods that are gone. */
  let spent = 0;
  const living = new Set<Pod>();

  const takes = (pod: Pod): boolean => pod.ready && !pod.cordoned && !pod.leaving;
  const countFree = (): void => {
    free = serving.reduce((sum, pod) => sum + (takes(pod) ? concurrency - pod.busy : 0), 0);
  };
  const dispatch = (): void => {
    while (free > 0 && backlog.size > 0) {
      turn = (turn + 1) % serving.length;
      const pod = serving[turn];
      if (pod === undefined || !takes(pod) || pod.busy >= concurrency) continue;
      const task = backlog.take();
      waits[task] = (now - (trace.arrivedAt[task] ?? 0)) / 1_000;
      pod.busy++;
      free--;
      running.set(task, pod);
      events.push({ at: now + (trace.serviceMs[task] ?? 0), kind: "end", pod, task });
    }
  };
  const bury = (pod: Pod): void => {
    if (pod.gone) return;
    pod.gone = true;
    spent += now - pod.createdAt;
    living.delete(pod);
  };
  const happen = (event: Event): void => {
    const { pod } = event;
    if (event.kind === "ready") {
      pod.ready = !pod.gone;
      countFree();
    } else if (event.kind === "end") {
      if (running.get(event.task) !== pod) return;
      running.delete(event.task);
      ended++;
      pod.busy--;
      pod.finished++;
      pod.busyMs += trace.serviceMs[event.task] ?? 0;
      if (takes(pod)) free++;
      if (pod.leaving && pod.busy === 0) bury(pod);
    } else if (!pod.gone) {
      for (const [task, of] of running) {
        if (of !== pod) continue;
        running.delete(task);
        backlog.giveBack(task);
        told.killed++;
      }
      bury(pod);
    }
  };
  const create = (count: number): void => {
    for (let more = 0; more < count; more++) {
      const name = `pod-${String(made++).padStart(6, "0")}`;
      const pod = { name, createdAt: now, readyAt: now + startupMs, busy: 0, ready: false, cordoned: false };
      const whole: Pod = { ...pod, finished: 0, busyMs: 0, leaving: false, gone: false };
      serving.push(whole);
      living.add(whole);
      events.push({ at: whole.readyAt, kind: "ready", pod: whole });
    }
  };
  const find = (name: string): Pod | undefined => serving.find((pod) => pod.name === name);
  create(replicas);

  return {
    advance(to) {
      for (;;) {
        const arrival = trace.arrivedAt[arrived] ?? Number.POSITIVE_INFINITY;
        const next = Math.min(arrival, events.next());
        if (next > to) break;
        now = Math.max(now, next);
        // What ends makes room for what arrives in the same moment.
        const event = events.popUntil(next);
        if (event === undefined) backlog.add(arrived++);
        else happen(event);
        dispatch();
      }
      now = to;
    },
    get now() {
      return now;
    },
    get ready() {
      return backlog.size;
    },
    get unacked() {
      return running.size;
    },
    pods: () => serving,
    create,
    cordon(name, on) {
      const pod = find(name);
      if (pod === undefined) return;
      pod.cordoned = on;
      countFree();
      dispatch();
    },
    remove(name) {
      const pod = find(name);
      if (pod === undefined) return;
      pod.leaving = true;
      serving = serving.filter((one) => one !== pod);
      turn = 0;
      countFree();
      told.pods++;
      if (pod.busy === 0) bury(pod);
      else {
        told.busy++;
        events.push({ at: now + graceMs, kind: "kill", pod });
      }
    },
    waits,
    replicaSeconds: () => ([...living].reduce((sum, pod) => sum + now - pod.createdAt, 0) + spent) / 1_000,
    told,
    get done() {
      return ended === total;
    },
  };
}
