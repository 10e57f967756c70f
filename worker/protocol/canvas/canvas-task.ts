import type { OutgoingTask } from "../encode-task.ts";
import { isMap } from "../json/is-value.ts";
import { PyDateTime, PyFloat, type Value } from "../json/value.ts";
import type { TimeLimit } from "../task-message.ts";
import type { CanvasContext, Options, Route } from "./canvas-plan.ts";
import { asSignatures, isSignature, type Signature } from "./signature.ts";

/** A plain signature and the options of its call as a task to send: the options of `apply_async` become fields of the message. */
export function outgoing(
  signature: Signature,
  args: readonly Value[],
  options: Options,
  context: CanvasContext,
): { readonly task: OutgoingTask; readonly route: Route } {
  const chord = options["chord"];
  const headers = options["headers"];
  const stampedHeaders = Array.isArray(options["stamped_headers"]) ? options["stamped_headers"].map(String) : undefined;
  const links = (name: string): readonly Signature[] | undefined => (options[name] == null ? undefined : asSignatures(options[name]));
  const task: OutgoingTask = {
    id: String(options["task_id"]),
    name: signature.task,
    args,
    kwargs: signature.kwargs ?? {},
    rootId: text(options["root_id"]) ?? context.rootId,
    parentId: text(options["parent_id"]) ?? context.parentId,
    origin: context.origin,
    replyTo: text(options["reply_to"]) ?? context.replyTo,
    timeLimit: limits(seconds(options["time_limit"]), seconds(options["soft_time_limit"])),
    priority: seconds(options["priority"]) ?? context.priority,
    group: text(options["group_id"]),
    groupIndex: seconds(options["group_index"]),
    replacedTaskNesting: seconds(options["replaced_task_nesting"]),
    shadow: text(options["shadow"]),
    eta: date(options["eta"]),
    ignoreResult: typeof options["ignore_result"] === "boolean" ? options["ignore_result"] : undefined,
    callbacks: links("link"),
    errbacks: links("link_error"),
    chain: links("chain"),
    chord: isSignature(chord) ? chord : undefined,
    headers: isMap(headers) ? headers : undefined,
    stampedHeaders,
    stamps: stampedHeaders && Object.fromEntries(stampedHeaders.map((name) => [name, options[name] ?? null])),
  };
  const route: Route = {
    queue: text(options["queue"]),
    exchange: text(options["exchange"]),
    routingKey: text(options["routing_key"]),
    countdown: seconds(options["countdown"]),
    expires: seconds(options["expires"]) ?? date(options["expires"]),
  };
  return { task, route };
}

function limits(hard: number | undefined, soft: number | undefined): TimeLimit {
  return { ...(hard === undefined ? {} : { hard }), ...(soft === undefined ? {} : { soft }) };
}

function text(value: Value | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function seconds(value: Value | undefined): number | undefined {
  if (value instanceof PyFloat) return value.value;
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function date(value: Value | undefined): string | undefined {
  return value instanceof PyDateTime ? value.isoText : text(value);
}
