import type { Schedule } from "../kinds/schedule/schema.ts";
import type { ObjectKey } from "../runtime/object.ts";
import type { Reason } from "../runtime/truth/reasons.ts";
import type { RunState } from "./ports.ts";
import type { Memory } from "./record.ts";
import type { ReadTiming } from "./timing.ts";

/** Why a schedule cannot do what it should. */
export interface Trouble {
  readonly reason: Reason;
  readonly message: string;
}

/** What the leader keeps of one schedule. Changed in place by the loop, and by nobody else. */
export interface Entry {
  readonly key: ObjectKey;
  object: Schedule;
  /** absent: the spec cannot be read, and `trouble` says why. */
  read?: ReadTiming;
  /** absent: not read from the store yet. */
  memory?: Memory;
  /** What was published and could not be written down. */
  unsaved?: { readonly fence: string; readonly memory: Memory };
  trouble?: Trouble;
  /** How the last run stood when it was looked at. */
  lastRun?: { readonly taskId: string; readonly run: RunState };
  /** A batch has it in hand. */
  busy: boolean;
  /** Something changed while a batch had it in hand. */
  again: boolean;
  gone: boolean;
  /** When it is looked at next, ms since the epoch. Only the queue's item with this very time counts. */
  at: number;
}
