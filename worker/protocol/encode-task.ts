import type { MessageProperties } from "../ports.ts";
import { formatIso } from "./iso.ts";
import { encodeJson } from "./json.ts";
import { saferepr } from "./saferepr.ts";
import type { Signature } from "./signature.ts";
import type { TimeLimit } from "./task-message.ts";

/** What a sender says of a task. Dates are ms since the epoch, or the text that Python wrote. */
export interface OutgoingTask {
  readonly id: string;
  readonly name: string;
  readonly args?: readonly unknown[];
  readonly kwargs?: Readonly<Record<string, unknown>>;
  readonly retries?: number;
  readonly eta?: number | string;
  readonly expires?: number | string;
  readonly timeLimit?: TimeLimit;
  readonly rootId?: string;
  readonly parentId?: string;
  readonly group?: string;
  readonly groupIndex?: number;
  /** null leaves it to the task's own setting. */
  readonly ignoreResult?: boolean | null;
  readonly shadow?: string;
  /** Who sends, as `gen<pid>@<host>`. */
  readonly origin: string;
  readonly replyTo?: string;
  readonly priority?: number;
  readonly argsRepr?: string;
  readonly kwargsRepr?: string;
  readonly replacedTaskNesting?: number;
  readonly callbacks?: readonly Signature[];
  readonly errbacks?: readonly Signature[];
  readonly chain?: readonly Signature[];
  readonly chord?: Signature;
  readonly stampedHeaders?: readonly string[];
  readonly stamps?: Readonly<Record<string, unknown>>;
  /** Custom headers, merged flat beside Celery's own, which they override. */
  readonly headers?: Readonly<Record<string, unknown>>;
  /** The broker drops the message this many ms from now: what is left until `expires`. */
  readonly expirationMs?: number;
}

/**
 * A task as protocol 2 with a JSON body, byte for byte as `as_task_v2` of celery/app/amqp.py and kombu write it.
 * Never says where to send it. Throws JsonError when an argument cannot be written.
 */
export function encodeTask(task: OutgoingTask): { readonly properties: MessageProperties; readonly body: Buffer } {
  const args = task.args ?? [];
  const kwargs = task.kwargs ?? {};
  const links = (signatures: readonly Signature[] | undefined): readonly Signature[] | null =>
    signatures === undefined || signatures.length === 0 ? null : signatures;
  const embed = {
    callbacks: links(task.callbacks),
    errbacks: links(task.errbacks),
    chain: links(task.chain),
    chord: task.chord ?? null,
  };
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
    body: Buffer.from(encodeJson([args, kwargs, embed])),
  };
}

function celeryHeaders(task: OutgoingTask, args: readonly unknown[], kwargs: object): Record<string, unknown> {
  const iso = (at: number | string | undefined): string | null => (typeof at === "number" ? formatIso(at) : (at ?? null));
  return {
    lang: "py",
    task: task.name,
    id: task.id,
    shadow: task.shadow ?? null,
    eta: iso(task.eta),
    expires: iso(task.expires),
    group: task.group ?? null,
    group_index: task.groupIndex ?? null,
    retries: task.retries ?? 0,
    timelimit: [task.timeLimit?.hard ?? null, task.timeLimit?.soft ?? null],
    root_id: task.rootId ?? task.id,
    parent_id: task.parentId ?? null,
    argsrepr: task.argsRepr ?? saferepr(args, { tuple: true }),
    kwargsrepr: task.kwargsRepr ?? saferepr(kwargs),
    origin: task.origin,
    ignore_result: task.ignoreResult === undefined ? false : task.ignoreResult,
    replaced_task_nesting: task.replacedTaskNesting ?? 0,
    stamped_headers: task.stampedHeaders ?? null,
    stamps: task.stamps ?? {},
  };
}
