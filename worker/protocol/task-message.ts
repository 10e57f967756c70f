import type { Signature } from "./canvas/signature.ts";
import type { Value, ValueMap } from "./json/value.ts";

/** Seconds; `hard` stops the task whatever it does, `soft` only tells it. */
export interface TimeLimit {
  readonly hard?: number;
  readonly soft?: number;
}

/** One request to run a task, whatever protocol it came in. Fields that the sender left unset are absent. */
export interface TaskMessage {
  readonly id: string;
  readonly name: string;
  readonly args: readonly Value[];
  readonly kwargs: ValueMap;
  readonly retries: number;
  readonly eta?: Date;
  readonly expires?: Date;
  readonly timeLimit: TimeLimit;
  readonly rootId: string;
  readonly parentId?: string;
  readonly group?: string;
  readonly groupIndex?: number;
  /** Absent when the sender left it to the task's own setting (5.7 sends null). */
  readonly ignoreResult?: boolean;
  /** The name to show instead of `name`. */
  readonly shadow?: string;
  readonly origin?: string;
  readonly replyTo?: string;
  readonly correlationId?: string;
  readonly argsRepr?: string;
  readonly kwargsRepr?: string;
  readonly replacedTaskNesting: number;
  readonly callbacks: readonly Signature[];
  readonly errbacks: readonly Signature[];
  /** In REVERSE, as on the wire: the next step is the last one. */
  readonly chain: readonly Signature[];
  readonly chord?: Signature;
  readonly stampedHeaders: readonly string[];
  readonly stamps: Readonly<Record<string, unknown>>;
  /** As received, for a retry; for protocol 1 those that protocol 2 would have had. */
  readonly headers: Readonly<Record<string, unknown>>;
  readonly protocol: 1 | 2;
  readonly contentType: string;
  /** The body as received, for a retry that changes no argument. */
  readonly body: Uint8Array;
  readonly priority?: number;
  /** When it was published, ms since the epoch: header `x-enqueued-at`, else the AMQP timestamp (whole seconds). */
  readonly enqueuedAt?: number;
}

/** A message that is no task. `answer` is there when its sender can still be told. */
export interface Malformed {
  readonly kind: "malformed";
  readonly reason: string;
  readonly code: "decode" | "content-type" | "shape";
  readonly answer?: { readonly id?: string; readonly name?: string; readonly replyTo?: string; readonly correlationId?: string };
}

export type Decoded = { readonly kind: "task"; readonly task: TaskMessage } | Malformed;

/** Header that our client stamps: when it published, ms since the epoch. */
export const ENQUEUED_AT_HEADER = "x-enqueued-at";
