import { taskHeaders } from "../contract/task-headers.ts";
import type { MessageProperties } from "../ports.ts";
import type { Signature } from "./canvas/signature.ts";
import { formatIso } from "./json/iso.ts";
import { encodeJson } from "./json/json.ts";
import { saferepr } from "./saferepr.ts";
import type { TimeLimit } from "./task-message.ts";

/** What a sender says of a task. Dates are ms since the epoch, or the text that Python wrote. */
export interface OutgoingTask {
  readonly id: string;
  readonly name: string;
  readonly args?: readonly unknown[] | undefined;
  readonly kwargs?: Readonly<Record<string, unknown>> | undefined;
  readonly retries?: number | undefined;
  readonly eta?: number | string | undefined;
  readonly expires?: number | string | undefined;
  readonly timeLimit?: TimeLimit | undefined;
  readonly rootId?: string | undefined;
  readonly parentId?: string | undefined;
  readonly group?: string | undefined;
  readonly groupIndex?: number | undefined;
  /** null leaves it to the task's own setting. */
  readonly ignoreResult?: boolean | null | undefined;
  readonly shadow?: string | undefined;
  /** Who sends, as `gen<pid>@<host>`. */
  readonly origin: string;
  readonly replyTo?: string | undefined;
  readonly priority?: number | undefined;
  readonly argsRepr?: string | undefined;
  readonly kwargsRepr?: string | undefined;
  readonly replacedTaskNesting?: number | undefined;
  readonly callbacks?: readonly Signature[] | undefined;
  readonly errbacks?: readonly Signature[] | undefined;
  readonly chain?: readonly Signature[] | undefined;
  readonly chord?: Signature | undefined;
  readonly stampedHeaders?: readonly string[] | undefined;
  readonly stamps?: Readonly<Record<string, unknown>> | undefined;
  /** Custom headers, merged flat beside Celery's own, which they override. */
  readonly headers?: Readonly<Record<string, unknown>> | undefined;
  /** The broker drops the message this many ms from now: what is left until `expires`. */
  readonly expirationMs?: number | undefined;
}

/**
 * A task as protocol 2 with a JSON body, byte for byte as `as_task_v2` of celery/app/amqp.py and kombu write it.
 * Never says where to send it. Throws JsonError when an argument cannot be written.
 */
export function encodeTask(task: OutgoingTask): { readonly properties: MessageProperties; readonly body: Buffer } {
  const args = task.args ?? [];
  const kwargs = task.kwargs ?? {};
  const { callbacks = null, errbacks = null, chain = null, chord = null } = task;
  return {
    properties: {
      contentType: "application/json",
      contentEncoding: "utf-8",
      correlationId: task.id,
      replyTo: task.replyTo ?? "",
      deliveryMode: 2,
      priority: task.priority ?? 0,
      ...(task.expirationMs === undefined ? {} : { expiration: String(Math.max(0, Math.trunc(task.expirationMs))) }),
      headers: { ...celeryHeaders(task, args, kwargs), ...task.headers },
    },
    body: Buffer.from(encodeJson([args, kwargs, { callbacks, errbacks, chain, chord }])),
  };
}

function celeryHeaders(task: OutgoingTask, args: readonly unknown[], kwargs: object): Record<string, unknown> {
  const iso = (at: number | string | undefined): string | undefined => (typeof at === "number" ? formatIso(at) : at);
  return taskHeaders({
    ...task,
    task: task.name,
    eta: iso(task.eta),
    expires: iso(task.expires),
    timelimit: [task.timeLimit?.hard ?? null, task.timeLimit?.soft ?? null],
    argsrepr: task.argsRepr ?? saferepr(args, { tuple: true }),
    kwargsrepr: task.kwargsRepr ?? saferepr(kwargs),
  });
}
