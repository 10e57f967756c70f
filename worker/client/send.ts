import type { Publication } from "../ports.ts";
import type { Signature } from "../protocol/canvas/signature.ts";
import { encodeTask, type OutgoingTask } from "../protocol/encode-task.ts";
import { ENQUEUED_AT_HEADER, type TimeLimit } from "../protocol/task-message.ts";
import { activeTrace } from "../tracing.ts";
import type { Destination, routeOf } from "./routes.ts";

/** How a publish is tried again while the broker is away. Celery's `task_publish_retry_policy`, in milliseconds. */
export interface PublishRetry {
  /** Default 3; 0 does not try again. */
  readonly maxRetries?: number;
  /** Default 0. */
  readonly firstWaitMs?: number;
  /** How much longer each wait is than the one before. Default 200. */
  readonly stepMs?: number;
  /** Default 1,000. */
  readonly maxWaitMs?: number;
}

/** What `apply_async` takes in Python. */
export interface SendOptions extends Destination {
  /** Default: a new random one. The same id is the same task: sent twice, a Longshore worker runs it once. */
  readonly id?: string | undefined;
  /** Not before this moment. */
  readonly eta?: Date | undefined;
  /** Not before so many milliseconds from now; with `eta`, the later of both. */
  readonly countdownMs?: number | undefined;
  /** Not after this moment, or so many milliseconds from now: the caller then gets TaskRevokedError. */
  readonly expires?: Date | number | undefined;
  readonly headers?: Readonly<Record<string, unknown>> | undefined;
  readonly timeLimit?: TimeLimit | undefined;
  /** The worker stores no result: `get` would wait for ever. */
  readonly ignoreResult?: boolean | undefined;
  /** Sent with the result as first argument, after success. */
  readonly link?: readonly Signature[] | undefined;
  /** Called after a failure. */
  readonly linkError?: readonly Signature[] | undefined;
  readonly shadow?: string | undefined;
  readonly retry?: PublishRetry | undefined;
  /** Fields of a task that a canvas planned; the options above overlay them. */
  readonly fields?: Partial<OutgoingTask> | undefined;
}

type Basis = Pick<OutgoingTask, "id" | "name" | "args" | "kwargs" | "origin" | "replyTo">;

/** The message of one task. Unroutable is an error, never silence. Throws RangeError for a time that is none, JsonError for an argument. */
export function publication(basis: Basis, route: ReturnType<typeof routeOf>, options: SendOptions, now: number): Publication {
  const { eta, countdownMs, expires, link, linkError, timeLimit, ignoreResult, shadow, fields = {} } = options;
  const startAt = Math.max(
    moment("eta", eta?.getTime()) ?? 0,
    countdownMs === undefined ? 0 : now + (moment("countdownMs", countdownMs) ?? 0),
  );
  const endAt = moment("expires", typeof expires === "number" ? now + expires : expires?.getTime());
  const given: Partial<OutgoingTask> = {
    priority: route.priority,
    timeLimit,
    ignoreResult,
    shadow,
    callbacks: link,
    errbacks: linkError,
    eta: startAt > 0 ? startAt : undefined,
    expires: endAt,
    expirationMs: endAt === undefined ? undefined : endAt - now,
  };
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const headers = { ...fields.headers, ...activeTrace(), [ENQUEUED_AT_HEADER]: now, ...options.headers };
  const { properties, body } = encodeTask({ ...fields, ...basis, ...set, headers });
  return { exchange: route.exchange, routingKey: route.routingKey, properties, body, mandatory: true };
}

function moment(field: string, ms: number | undefined): number | undefined {
  if (ms !== undefined && !Number.isFinite(ms)) throw new RangeError(`${field} is ${ms}, expected a time`);
  return ms;
}
