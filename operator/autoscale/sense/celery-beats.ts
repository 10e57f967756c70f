import { nodeName } from "../../../worker/contract/names.ts";
import type { WorkCounters } from "./reading.ts";

/** A `worker-heartbeat` event of a Python Celery worker; it comes every 2 s without `-E`. Source: celery/worker/heartbeat.py. */
export interface CeleryBeat {
  /** `celery@pod` */
  readonly node: string;
  readonly pid: number;
  /** Tasks that run. What was prefetched is not among them. */
  readonly active: number;
  /** Tasks that were begun since the process started. */
  readonly processed: number;
}

/** Hears the workers of a vhost from the first call on; a listener that cannot be opened is silent, and is tried again. */
export interface CeleryEventsPort extends AsyncDisposable {
  listen(onBeat: (beat: CeleryBeat) => void): void;
}

/** The last beat of a node, and what it did so far, as far as we heard. */
export interface HeardBeat {
  readonly beat: CeleryBeat;
  /** When it was heard, ms on our own clock. */
  readonly at: number;
  /** Sum over time of the tasks that ran: by Little's law, divided by the finished ones it is their mean run time. ms */
  readonly busyMs: number;
}

/** Beats further apart than this say nothing of the time between, ms. */
const LONGEST_GAP_MS = 10_000;

/** Takes in a beat. A process that began anew begins with nothing. Pure. */
export function hearBeat(before: HeardBeat | undefined, beat: CeleryBeat, now: number): HeardBeat {
  if (before === undefined || before.beat.pid !== beat.pid) return { beat, at: now, busyMs: 0 };
  const gap = now - before.at;
  const passed = gap > LONGEST_GAP_MS ? 0 : gap;
  return { beat, at: now, busyMs: before.busyMs + (passed * (before.beat.active + beat.active)) / 2 };
}

/** Of these pods, the counters of those that were ever heard. Pure. */
export function celeryCounters(pods: readonly string[], heard: ReadonlyMap<string, HeardBeat>): ReadonlyMap<string, WorkCounters> {
  return new Map(
    pods.flatMap((pod): [string, WorkCounters][] => {
      const of = heard.get(nodeName(pod));
      if (of === undefined) return [];
      const { pid, processed, active } = of.beat;
      return [[pod, { boot: String(pid), finished: Math.max(0, processed - active), busyMs: of.busyMs }]];
    }),
  );
}
