import type { OutgoingTask } from "../encode-task.ts";
import type { PyException } from "../exception.ts";
import type { Value, ValueMap } from "../json/value.ts";
import type { Signature } from "./signature.ts";

/** Where a signature wants to go; what it leaves open is the router's to decide. */
export interface Route {
  readonly queue?: string | undefined;
  readonly exchange?: string | undefined;
  readonly routingKey?: string | undefined;
  readonly countdown?: number | undefined;
  /** Seconds from now, or a date as Python wrote it. */
  readonly expires?: number | string | undefined;
}

/** One thing to do, in order. All ids are fixed, so that a plan done twice does nothing new. */
export type CanvasStep =
  /** `eta` and `expires` of the task are set where the signature gave dates; `route.countdown` counts from the moment of sending. */
  | { readonly step: "publish"; readonly task: OutgoingTask; readonly route: Route }
  /** Write the number of parts of a chord, before any of them is sent. */
  | { readonly step: "chord-size"; readonly groupId: string; readonly size: number }
  /** Save a header with nested results, so that the body gets them nested. */
  | { readonly step: "save-group"; readonly groupId: string; readonly result: Value }
  /** A chord waits for one part more, before that part is sent. */
  | { readonly step: "chord-add"; readonly groupId: string; readonly taskId: string }
  /** Report a part of a chord; the last one sends `body`. */
  | {
      readonly step: "chord-part";
      readonly taskId: string;
      readonly groupId: string;
      readonly groupIndex?: number;
      readonly body: Signature;
      readonly state: string;
      readonly result: unknown;
    }
  /** Store the failure of a task that now never runs. */
  | {
      readonly step: "fail";
      readonly taskId: string;
      readonly error: PyException;
      /** FAILURE unless said otherwise. */
      readonly state?: "REVOKED";
      /** Results of its error callbacks, as `children` lists them. */
      readonly children?: readonly Value[];
      readonly groupId?: string;
      readonly parentId?: string;
    };

/** What was planned, and the `as_tuple()` of its result, for `children`. */
export interface CanvasPlan {
  readonly steps: readonly CanvasStep[];
  readonly children: readonly Value[];
  /** What a caller waits for: the task, the last step of a chain, the body of a chord, or the group. */
  readonly id: string;
}

/** Who sends, and for which task. */
export interface CanvasContext {
  /** Absent for a producer: each task is then its own root. */
  readonly parentId?: string;
  readonly rootId?: string;
  readonly origin: string;
  /** Our own reply queue, for signatures that name none. */
  readonly replyTo: string;
  /** An id for what has none yet, the same for the same seed: `uuid5(task id, seed)`. A random one sends a task twice after a crash. */
  readonly newId: (seed: string) => string;
  /** With `task_inherit_parent_priority`. */
  readonly priority?: number;
  /** Whether a task of that name is known to take, as an error callback, the failed call and its error in place of the failed task's id. */
  readonly takesError?: (name: string) => boolean;
}

/** Options of a call, as `apply_async` takes them: those of the signature, overlaid with those of the caller. */
export type Options = ValueMap;

/** celery/canvas.py `Signature._merge`: what a caller gives never moves a task to another group, nor changes its stamps. */
export function mergeOptions(signature: Signature, given: Options): Options {
  const own = signature.options ?? {};
  const stamped = own["stamped_headers"];
  const fixed = new Set(["group_id", "stamped_headers", ...(Array.isArray(stamped) ? stamped.map(String) : [])]);
  const overlay = Object.entries(given).filter(([name, value]) => value != null && !(fixed.has(name) && Object.hasOwn(own, name)));
  return { ...own, ...Object.fromEntries(overlay) };
}

/** Arguments in front of the signature's own, unless it is immutable. */
export function mergeArgs(signature: Signature, given: readonly Value[]): readonly Value[] {
  const own = signature.args ?? [];
  return signature.immutable === true || given.length === 0 ? own : [...given, ...own];
}
