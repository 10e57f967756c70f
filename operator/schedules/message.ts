import { DUE_HEADER, PUBLISHED_AT_HEADER, SCHEDULE_HEADER } from "../../worker/contract/names.ts";
import { TASK_HEADERS, taskHeaders } from "../../worker/contract/task-headers.ts";
import { durationMs } from "../kinds/quantities.ts";
import type { Schedule } from "../kinds/schedule/schema.ts";
import type { Publication } from "./ports.ts";
import { pythonRepr } from "./repr.ts";

export interface Run {
  readonly taskId: string;
  /** ms since the epoch; for a run-now, when it was asked for. */
  readonly due: number;
  /** When it is published, ms since the epoch. */
  readonly now: number;
  /** Who sends, as `gen<pid>@<host>`. */
  readonly origin: string;
}

const TAKEN: ReadonlySet<string> = new Set([...TASK_HEADERS, DUE_HEADER, SCHEDULE_HEADER, PUBLISHED_AT_HEADER]);
const MAX_BODY_BYTES = 256 * 1_024;

/** What is wrong with a schedule's message, in words that name the field; undefined when nothing is. */
export function messageProblem({ spec }: Schedule): string | undefined {
  const taken = Object.keys(spec.headers ?? {}).find((name) => TAKEN.has(name));
  if (taken !== undefined) return `headers.${taken} is Celery's own; give the header another name`;
  const bytes = new TextEncoder().encode(JSON.stringify([spec.args, spec.kwargs])).length;
  if (bytes > MAX_BODY_BYTES)
    return `args and kwargs are ${bytes} bytes of JSON; expected at most ${MAX_BODY_BYTES}. Put large data into a store and pass its key`;
  if (spec.expires !== undefined && durationMs(spec.expires) === 0) return "expires is 0; expected a duration such as 10m";
  return undefined;
}

/** What all messages of one spec have in common: args and kwargs, written once. */
const payloads = new WeakMap<Schedule["spec"], { readonly body: Uint8Array; readonly argsrepr: string; readonly kwargsrepr: string }>();

function payloadOf(spec: Schedule["spec"]) {
  const { args, kwargs } = spec;
  const embed = { callbacks: null, errbacks: null, chain: null, chord: null };
  const payload = payloads.get(spec) ?? {
    body: new TextEncoder().encode(JSON.stringify([args, kwargs, embed])),
    argsrepr: pythonRepr(args, true),
    kwargsrepr: pythonRepr(kwargs),
  };
  payloads.set(spec, payload);
  return payload;
}

/** The message of one run: what a Celery client would send, so that any Celery worker runs it. Pure. */
export function messageOf({ metadata, spec }: Schedule, { taskId, due, now, origin }: Run): Publication {
  const { task, queue, exchange, routingKey, priority, headers } = spec;
  const { body, argsrepr, kwargsrepr } = payloadOf(spec);
  const expiresMs = spec.expires === undefined ? undefined : durationMs(spec.expires);
  return {
    exchange: exchange ?? "",
    routingKey: queue ?? routingKey ?? "",
    correlationId: taskId,
    priority: priority ?? 0,
    ...(expiresMs === undefined ? {} : { expiration: expiresMs }),
    body,
    headers: {
      ...taskHeaders({
        task,
        id: taskId,
        argsrepr,
        kwargsrepr,
        origin,
        expires: expiresMs === undefined ? undefined : pythonTime(now + expiresMs),
      }),
      ...headers,
      [PUBLISHED_AT_HEADER]: now,
      [SCHEDULE_HEADER]: `${metadata.namespace ?? "default"}/${metadata.name}`,
      [DUE_HEADER]: new Date(due).toISOString(),
    },
  };
}

/** Python before 3.11 reads no `Z`. */
const pythonTime = (ms: number): string => new Date(ms).toISOString().replace(/\.(\d{3})Z$/, ".$1000+00:00");
