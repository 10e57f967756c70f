import type { CanvasContext, Options, Route } from "./canvas-plan.ts";
import type { OutgoingTask } from "./encode-task.ts";
import { isMap } from "./is-value.ts";
import { asSignatures, isSignature, type Signature } from "./signature.ts";
import { PyDateTime, PyFloat, type Value } from "./value.ts";

/** A plain signature and the options of its call as a task to send: the options of `apply_async` become fields of the message. */
export function outgoing(
  signature: Signature,
  args: readonly Value[],
  options: Options,
  context: CanvasContext,
): { readonly task: OutgoingTask; readonly route: Route } {
  const chain = asSignatures(options["chain"]);
  const chord = options["chord"];
  const headers = options["headers"];
  const hard = seconds(options["time_limit"]);
  const soft = seconds(options["soft_time_limit"]);
  const stampedHeaders = Array.isArray(options["stamped_headers"]) ? options["stamped_headers"].map(String) : undefined;
  const priority = seconds(options["priority"]) ?? context.priority;
  const task: OutgoingTask = {
    id: String(options["task_id"]),
    name: signature.task,
    args,
    kwargs: signature.kwargs ?? {},
    rootId: text(options["root_id"]) ?? context.rootId,
    parentId: text(options["parent_id"]) ?? context.parentId,
    origin: context.origin,
    replyTo: text(options["reply_to"]) ?? context.replyTo,
    callbacks: asSignatures(options["link"]) ?? [],
    errbacks: asSignatures(options["link_error"]) ?? [],
    ...(hard === undefined && soft === undefined
      ? {}
      : { timeLimit: { ...(hard === undefined ? {} : { hard }), ...(soft === undefined ? {} : { soft }) } }),
    ...(options["chain"] == null || chain === undefined ? {} : { chain }),
    ...(isSignature(chord) ? { chord } : {}),
    ...(isMap(headers) ? { headers } : {}),
    ...(priority === undefined ? {} : { priority }),
    ...(typeof options["group_index"] === "number" ? { groupIndex: options["group_index"] } : {}),
    ...(typeof options["ignore_result"] === "boolean" ? { ignoreResult: options["ignore_result"] } : {}),
    ...field("group", text(options["group_id"])),
    ...field("shadow", text(options["shadow"])),
    ...field("eta", date(options["eta"])),
    ...(stampedHeaders === undefined
      ? {}
      : { stampedHeaders, stamps: Object.fromEntries(stampedHeaders.map((name) => [name, options[name] ?? null])) }),
  };
  const route: Route = {
    ...field("queue", text(options["queue"])),
    ...field("exchange", text(options["exchange"])),
    ...field("routingKey", text(options["routing_key"])),
    ...field("countdown", seconds(options["countdown"])),
    ...field("expires", seconds(options["expires"]) ?? date(options["expires"])),
  };
  return { task, route };
}

function field<K extends string, V>(name: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [name]: value }) as { [P in K]?: V };
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
