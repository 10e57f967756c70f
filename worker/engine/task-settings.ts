import { parseRate } from "../protocol/control/control-arguments.ts";
import type { TaskMessage } from "../protocol/task-message.ts";
import type { Task } from "../tasks/define-task.ts";

/** Seconds; absent for no limit. */
export interface Limits {
  readonly soft?: number;
  readonly hard?: number;
}

/** What remote control changed of tasks, in this worker, until it ends. */
export interface TaskSettings {
  /** The limits of one message: its own, else those that were set here, else those of the task. */
  limits(task: TaskMessage, definition: Pick<Task, "softTimeLimit" | "timeLimit">): Limits;
  setLimits(name: string, limits: Limits): void;
  setRate(name: string, perSecond: number, text: string): void;
  /** As Celery writes it: `10/m`. */
  rateText(name: string): string | undefined;
  /**
   * When a task of that name may start by its rate, ms since the epoch, and takes that place; `undefined` when that is too far off to
   * promise. A bucket of one, as Celery's: starts are evenly spaced.
   */
  takePlace(name: string, now: number): number | undefined;
}

const NO_LIMITS: Limits = {};

/** Places further off than this are not given away, ms: a rate may be raised meanwhile. */
const HORIZON_MS = 60_000;

/** `defaults` are the limits of tasks that set none. */
export function openTaskSettings(tasks: ReadonlyMap<string, Task>, defaults: Limits = {}): TaskSettings {
  const limits = new Map<string, Limits>();
  const rates = new Map<string, { readonly perSecond: number; readonly text: string; next: number }>();
  for (const { name, rateLimit } of tasks.values()) {
    if (rateLimit !== undefined) rates.set(name, { perSecond: parseRate(rateLimit), text: String(rateLimit), next: 0 });
  }
  return {
    limits({ name, timeLimit }, definition) {
      const set = limits.get(name);
      const soft = timeLimit.soft ?? (set === undefined ? (definition.softTimeLimit ?? defaults.soft) : set.soft);
      const hard = timeLimit.hard ?? (set === undefined ? (definition.timeLimit ?? defaults.hard) : set.hard);
      if (soft === undefined && hard === undefined) return NO_LIMITS;
      return { ...(soft === undefined ? {} : { soft }), ...(hard === undefined ? {} : { hard }) };
    },
    setLimits: (name, given) => void limits.set(name, given),
    setRate: (name, perSecond, text) => void (perSecond === 0 ? rates.delete(name) : rates.set(name, { perSecond, text, next: 0 })),
    rateText: (name) => rates.get(name)?.text,
    takePlace(name, now) {
      const rate = rates.get(name);
      if (rate === undefined || rate.perSecond === 0) return now;
      const place = Math.max(now, rate.next);
      if (place - now > HORIZON_MS) return undefined;
      rate.next = place + 1_000 / rate.perSecond;
      return place;
    },
  };
}
