import type { System } from "./system.ts";
import { createWorld, type World, type WorldOptions } from "./world.ts";

/** How it stood at one time of a run. */
export interface Moment {
  /** s from the start of the trace. */
  readonly at: number;
  /** Waiting in the queue. */
  readonly ready: number;
  readonly unacked: number;
  readonly replicas: number;
  readonly wanted: number;
  /** The longest wait of a task that started since the moment before, s. */
  readonly wait: number;
}

/** One change of the wanted size, and why. */
interface Change {
  /** s from the start of the trace. */
  readonly at: number;
  readonly from: number;
  readonly to: number;
  readonly why: string;
}

export interface Run {
  readonly moments: readonly Moment[];
  /** For each task in the order of arrival, s. A task that never started has waited until the end. */
  readonly waits: Float64Array;
  readonly replicaSeconds: number;
  /** Changes of the wanted size against the direction of the change before. */
  readonly reversals: number;
  readonly resizes: number;
  /** Every change of the wanted size, where the system says why. */
  readonly changes: readonly Change[];
  readonly told: World["told"];
}

export interface RunOptions extends WorldOptions {
  /** Until when replicas are counted, ms. Later ones only finish what is left. */
  readonly untilMs: number;
  /** Reversals before this are not counted, ms. */
  readonly settledMs?: number;
  /** How often a moment is noted, ms. */
  readonly momentMs: number;
}

/** Lets a system size a pool through a whole trace. Deterministic. */
export function run(system: System, options: RunOptions): Run {
  const { untilMs, momentMs, settledMs = 0 } = options;
  const world = createWorld(options);
  const moments: Moment[] = [];
  const resizes = createResizes(options.replicas, settledMs);
  const changes: Change[] = [];
  const waits = longestWaits(options.trace.arrivedAt, world);
  for (;;) {
    const at = system.next();
    if (at > untilMs) break;
    if (system.senses !== undefined) {
      world.advance(Math.max(0, system.senses.next()));
      system.senses.sense(world);
    }
    world.advance(at);
    system.act(world);
    const from = resizes.note(system.wanted(world), at);
    const why = from === undefined ? undefined : system.why?.();
    if (from !== undefined && why !== undefined) changes.push({ at: at / 1_000, from, to: system.wanted(world), why });
    if (at >= moments.length * momentMs) {
      const { ready, unacked } = world;
      moments.push({ at: at / 1_000, ready, unacked, replicas: world.pods().length, wanted: system.wanted(world), wait: waits(at) });
    }
  }
  world.advance(untilMs);
  const replicaSeconds = world.replicaSeconds();
  for (const [task, wait] of world.waits.entries()) {
    if (Number.isNaN(wait)) world.waits[task] = (untilMs - (options.trace.arrivedAt[task] ?? 0)) / 1_000;
  }
  return { moments, waits: world.waits, replicaSeconds, ...resizes.counts(), changes, told: world.told };
}

/** Counts changes of size, and those that go back on the one before. */
function createResizes(replicas: number, settledMs: number) {
  let size = replicas;
  let direction = 0;
  const counts = { resizes: 0, reversals: 0 };
  return {
    /** The size before, when this is another one. */
    note(wanted: number, at: number): number | undefined {
      const before = size;
      const next = Math.sign(wanted - before);
      size = wanted;
      if (next === 0) return undefined;
      if (at >= settledMs) {
        counts.resizes++;
        if (direction !== 0 && next !== direction) counts.reversals++;
        direction = next;
      }
      return before;
    },
    counts: () => counts,
  };
}

/** The longest wait among tasks that arrived before a time and have started since the last call. */
function longestWaits(arrivedAt: Float64Array, world: World): (at: number) => number {
  let from = 0;
  return (at) => {
    let longest = 0;
    for (; from < arrivedAt.length && !Number.isNaN(world.waits[from]); from++) longest = Math.max(longest, world.waits[from] ?? 0);
    const oldest = arrivedAt[from];
    return oldest === undefined || oldest > at ? longest : Math.max(longest, (at - oldest) / 1_000);
  };
}
