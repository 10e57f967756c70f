import type * as z from "zod";
import type { LeaseMode } from "../leases/leases.ts";
import type { Signature } from "../protocol/canvas/signature.ts";
import { parseRate } from "../protocol/control/control-arguments.ts";
import type { PyException } from "../protocol/exception.ts";
import type { Value, ValueMap } from "../protocol/json/value.ts";
import { bindArguments, parametersOf } from "./bind-arguments.ts";
import type { SqlTransaction } from "./commit-in.ts";
import type { TaskRequest } from "./task-request.ts";

/** A logger with a constant sentence and fields. */
export interface TaskLog {
  debug(fields: object, sentence: string): void;
  info(fields: object, sentence: string): void;
  warn(fields: object, sentence: string): void;
  error(fields: object, sentence: string): void;
}

/** What a running task may ask of its worker. */
export interface TaskContext {
  readonly taskId: string;
  /** The message that called the task. */
  readonly request: TaskRequest;
  /** How often it was retried before. */
  readonly retries: number;
  /** The broker delivered this message before: an earlier worker may have begun. */
  readonly redelivered: boolean;
  /** Aborts on a time limit, when the worker's grace period ends, or when the lease is lost. Hand it to everything that waits. */
  readonly signal: AbortSignal;
  readonly log: TaskLog;
  /** Grows per idempotency key; hand it to the resource, so that it can refuse one who comes late. */
  readonly fence: string;
  /** Call right before the irreversible act: from here a crash is not followed by a silent repetition. Throws when the lease is lost: do not act. */
  readonly effect: () => Promise<void>;
  /**
   * For an effect in Postgres, which then happens exactly once: call it in your transaction, with what the task will return, and commit
   * both together. Ends the task with the first attempt's value when the effect was committed before. Its table is `EFFECTS_TABLE`.
   */
  readonly commitIn: (transaction: SqlTransaction, value?: Value) => Promise<void>;
  /**
   * Sends a task, chain, group or chord once this task has succeeded; a task that fails or retries sends nothing. `args` stand before the
   * signature's own. Returns the id to wait for. To a task it is given the same id however often this task runs.
   */
  readonly send: (signature: Signature, args?: readonly Value[]) => string;
  /** As `send`, and the chord that this task is a part of waits for it, too. Throws when this task is part of none. */
  readonly addToChord: (signature: Signature) => string;
  /** Ends this task; the signature runs in its place, under its id, with its callbacks and the rest of its chain. Always throws. */
  readonly replace: (signature: Signature) => never;
  /** Once this task has succeeded, a signature fails that was to be sent: whoever waits for it is told. */
  readonly failInstead: (signature: Signature, error: PyException) => void;
  /** Stores state PROGRESS with these details, for whoever polls the result. */
  readonly progress: (details: ValueMap) => Promise<void>;
}

/** Under Celery's names; times in seconds. */
export interface RetryPolicy {
  /** Default 3. */
  readonly maxRetries?: number | null;
  /** Errors that retry by themselves; default none. */
  readonly autoretryFor?: readonly (abstract new (
    ...args: never[]
  ) => Error)[];
  /** Wait without backoff; default 180. */
  readonly defaultRetryDelay?: number;
  /** true or the first wait: doubles per attempt. Default off. */
  readonly retryBackoff?: boolean | number;
  /** Cap of the backoff; default 600. */
  readonly retryBackoffMax?: number;
  /** A random share of the backoff; default true. */
  readonly retryJitter?: boolean;
}

type Schema = z.ZodType;
type InputOf<A, K> = K extends Schema
  ? A extends Schema
    ? { readonly args: z.output<A>; readonly kwargs: z.output<K> }
    : z.output<K>
  : A extends Schema
    ? z.output<A>
    : { readonly args: readonly Value[]; readonly kwargs: ValueMap };

/** A rate that all workers of one store share. */
export interface GlobalRateLimit<Input> {
  /** `10/s`, `100/m`, `1000/h`. */
  readonly rate: string | number;
  /** A rate of its own per key, such as the customer's; default one for the task. */
  readonly key?: (input: Input) => string;
  /** How many may start at once after a pause; default 1. */
  readonly burst?: number;
}

export interface TaskDefinition<A extends Schema | undefined, K extends Schema | undefined> extends RetryPolicy {
  /** The task's name on the wire, as producers call it. */
  readonly name: string;
  /** Positional arguments: a zod tuple or array. */
  readonly args?: A;
  /** Keyword arguments: a zod object. Without `args`, positional arguments fill its keys in their order, as in Python. */
  readonly kwargs?: K;
  /** Same key, same effect: duplicates get the first one's result. Default: the task's id, which covers redelivery. */
  readonly idempotencyKey?: (input: InputOf<A, K>) => string;
  /**
   * After a crash past the start of the effect: `at-most-once` (default) answers the caller with EffectUnknown and never repeats;
   * `at-least-once` asks `reconcile`, or repeats with the same key. `none` asks for no lease: a message that is delivered again runs
   * again, as with Celery; for tasks whose repetition harms nobody. It has no key, and its fence is 0.
   */
  readonly mode?: LeaseMode | "none";
  /**
   * Where the effect starts: `at-mark` (default) with `context.effect()`: a task that never calls it is repeated after a crash;
   * `at-run` with its first line.
   */
  readonly effectStarts?: "at-mark" | "at-run";
  /** Only `at-least-once`: finds out what became of an effect that was begun. Its value is the result; undefined repeats the task. */
  readonly reconcile?: (input: InputOf<A, K>, context: TaskContext) => unknown;
  /** Seconds; then the task fails with TimeLimitExceeded whatever it does. A message's own limit wins. */
  readonly timeLimit?: number;
  /** Seconds; then `signal` aborts with SoftTimeLimitExceeded. */
  readonly softTimeLimit?: number;
  /** Starts per second, minute or hour in one worker: `10/s`, `10/m`, `10/h`. Remote control may change it. */
  readonly rateLimit?: string | number;
  /** Starts per second, minute or hour in all workers of one store together, exact. */
  readonly globalRateLimit?: GlobalRateLimit<InputOf<A, K>>;
  /**
   * true acknowledges the message after the result is stored; false when the task starts, as Celery does unless told otherwise: then a crash
   * of the worker loses the task. Default: the worker's setting, which is true unless changed.
   */
  readonly acksLate?: boolean;
  /** false sends a failed task's message to the dead letters. Default: the worker's, which is true. Needs late acks. */
  readonly acksOnFailureOrTimeout?: boolean;
  readonly ignoreResult?: boolean;
  /**
   * As an error callback (`link_error`) it is called with the failed call `{id, task, args, kwargs, …}`, its exception
   * `{exc_type, exc_message, exc_module}` and its traceback, as Celery's `(request, exc, traceback)`. Default: with the failed task's id.
   */
  readonly takesError?: boolean;
  readonly run: (input: InputOf<A, K>, context: TaskContext) => unknown;
}

const BRAND: unique symbol = Symbol.for("longshore.task") as never;

/** A task as the engine sees it: its input is whatever `bind` returned. */
export interface Task extends RetryPolicy {
  readonly [BRAND]: true;
  readonly name: string;
  readonly mode: LeaseMode | "none";
  readonly effectStarts: "at-mark" | "at-run";
  readonly timeLimit?: number;
  readonly softTimeLimit?: number;
  readonly rateLimit?: string | number;
  readonly globalRateLimit?: GlobalRateLimit<unknown>;
  readonly acksLate?: boolean;
  readonly acksOnFailureOrTimeout?: boolean;
  readonly ignoreResult: boolean;
  readonly takesError?: boolean;
  /** Names that positional arguments fill, in their order. */
  readonly parameters: readonly string[];
  /** Runs beside the supervisor whatever the pool is: it has no code that could block, and no module that a child could load. */
  readonly runsIn?: "supervisor";
  readonly idempotencyKey?: (input: unknown) => string;
  readonly reconcile?: (input: unknown, context: TaskContext) => unknown;
  /** The message's arguments as the task's input, or what is wrong with them. */
  bind(args: readonly Value[], kwargs: ValueMap): { readonly input: unknown } | { readonly problem: string };
  run(input: unknown, context: TaskContext): unknown;
}

/**
 * Declares a task: one per file, exported under any name. Never registers anything by itself; the worker finds it in the folder.
 * Throws TypeError when the name is empty.
 */
export function defineTask<A extends Schema | undefined = undefined, K extends Schema | undefined = undefined>(
  definition: TaskDefinition<A, K>,
): Task {
  if (typeof definition.name !== "string" || definition.name === "") throw new TypeError("defineTask: name must be a non-empty string");
  if (typeof definition.run !== "function") throw new TypeError(`defineTask("${definition.name}"): run must be a function`);
  if (definition.mode === "none" && (definition.idempotencyKey !== undefined || definition.reconcile !== undefined)) {
    throw new TypeError(`defineTask("${definition.name}"): mode "none" takes no lease: leave out idempotencyKey and reconcile`);
  }
  if (definition.rateLimit !== undefined) parseRate(definition.rateLimit);
  const { idempotencyKey, reconcile, run, args, kwargs, globalRateLimit, ...rest } = definition;
  if (globalRateLimit !== undefined) parseRate(globalRateLimit.rate);
  return {
    ...rest,
    [BRAND]: true,
    mode: definition.mode ?? "at-most-once",
    effectStarts: definition.effectStarts ?? "at-mark",
    ignoreResult: definition.ignoreResult ?? false,
    parameters: args === undefined ? parametersOf(kwargs) : [],
    ...(globalRateLimit === undefined ? {} : { globalRateLimit: globalRateLimit as GlobalRateLimit<unknown> }),
    // `bind` validated the input with the very schemas that these functions' types come from.
    ...(idempotencyKey === undefined ? {} : { idempotencyKey: (input: unknown) => idempotencyKey(input as InputOf<A, K>) }),
    ...(reconcile === undefined ? {} : { reconcile: (input: unknown, context) => reconcile(input as InputOf<A, K>, context) }),
    bind: (positional, keyword) => bindArguments(definition.name, args, kwargs, positional, keyword),
    run: (input, context) => run(input as InputOf<A, K>, context),
  };
}

/** Whether a module's export is a task. Survives two copies of this module. */
export const isTask = (value: unknown): value is Task => typeof value === "object" && value !== null && BRAND in value;
