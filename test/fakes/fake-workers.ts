import type { Heartbeat } from "../../worker/contract/heartbeat.ts";

interface Worker {
  readonly boot: string;
  consuming: boolean;
  /** When each task ends, ms. */
  running: number[];
  seq: number;
  finished: number;
  busyMs: number;
  beat: string;
}

/** Workers of one queue in memory: they take, run and finish tasks, and beat. Time is told to them. */
export interface FakeWorkers {
  /** Messages that wait. */
  ready: number;
  /** How long a task takes, ms. */
  taskMs: number;
  readonly finished: number;
  start(pod: string): void;
  /** Ends a worker; what it ran goes back to the queue. Returns how much that was. */
  stop(pod: string): number;
  consume(pod: string, on: boolean): boolean;
  /** Lets time pass to `now`: finish, take, beat. */
  work(now: number): void;
  /** No beat is written while it is silent. */
  silent: boolean;
  beats(): Readonly<Record<string, string>>;
  busy(pod: string): number;
  readonly consumers: number;
}

export function createFakeWorkers(queue: string, slots: number): FakeWorkers {
  const workers = new Map<string, Worker>();
  let boots = 0;
  const beatOf = (pod: string, worker: Worker): Heartbeat => ({
    v: 1,
    pod,
    boot: worker.boot,
    seq: worker.seq,
    at: 0,
    state: worker.consuming ? "running" : "draining",
    consuming: worker.consuming ? [queue] : [],
    slots,
    busy: worker.running.length,
    unacked: worker.running.length,
    finished: worker.finished,
    failed: 0,
    redelivered: 0,
    busyMs: worker.busyMs,
    waitMs: 0,
    waited: 0,
  });
  const fake: FakeWorkers = {
    ready: 0,
    taskMs: 1_000,
    silent: false,
    get finished() {
      return done;
    },
    get consumers() {
      return [...workers.values()].filter(({ consuming }) => consuming).length;
    },
    start(pod) {
      workers.set(pod, { boot: String(boots++), consuming: true, running: [], seq: 0, finished: 0, busyMs: 0, beat: "" });
    },
    stop(pod) {
      const lost = workers.get(pod)?.running.length ?? 0;
      workers.delete(pod);
      fake.ready += lost;
      return lost;
    },
    consume(pod, on) {
      const worker = workers.get(pod);
      if (worker !== undefined) worker.consuming = on;
      return worker !== undefined;
    },
    work(now) {
      for (const worker of workers.values()) {
        const ended = worker.running.filter((end) => end <= now).length;
        worker.running = worker.running.filter((end) => end > now);
        worker.finished += ended;
        worker.busyMs += ended * fake.taskMs;
        done += ended;
      }
      // One message at a time to each in turn, as the broker does.
      for (let taken = true; taken && fake.ready > 0; ) {
        taken = false;
        for (const worker of workers.values()) {
          if (!worker.consuming || worker.running.length >= slots || fake.ready === 0) continue;
          worker.running.push(now + fake.taskMs);
          fake.ready--;
          taken = true;
        }
      }
      if (fake.silent) return;
      for (const [pod, worker] of workers) {
        worker.seq++;
        worker.beat = JSON.stringify(beatOf(pod, worker));
      }
    },
    beats: () => Object.fromEntries([...workers].flatMap(([pod, { beat }]) => (beat === "" ? [] : [[pod, beat]]))),
    busy: (pod) => workers.get(pod)?.running.length ?? 0,
  };
  let done = 0;
  return fake;
}
