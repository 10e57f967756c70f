import { context, propagation, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import type { Outcome } from "./engine/outcome.ts";
import { exceptionRepr } from "./protocol/exception.ts";
import type { TaskMessage } from "./protocol/task-message.ts";

type Headers = Readonly<Record<string, unknown>>;
export type TraceHeaders = Readonly<Record<string, string>>;

/** W3C trace context and baggage, flat in a message's headers, where Python's instrumentation puts and looks for them. */
const FIELDS = ["traceparent", "tracestate", "baggage"] as const;

const NONE: TraceHeaders = {};

/** An SDK registers a propagator; without one there is nothing to record. */
const hasSdk = (): boolean => propagation.fields().length > 0;

const tracer = () => trace.getTracer("longshore");

/** What a message says of its trace. Handed on as it is where nobody registered an SDK. */
export function traceOf(headers: Headers): TraceHeaders {
  const own = propagation.fields();
  const fields = own.length === 0 ? FIELDS : [...FIELDS, ...own];
  let found: Record<string, string> | undefined;
  for (const field of fields) {
    const value = headers[field];
    if (typeof value === "string") (found ??= {})[field] = value;
  }
  return found ?? NONE;
}

/** Headers for a message that is sent now: those of the active span; none without an SDK. */
export function activeTrace(): TraceHeaders {
  if (!hasSdk()) return NONE;
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  return carrier;
}

/** Runs code as a part of the trace that a message belongs to. */
export const inTrace = <T>(headers: Headers, work: () => T): T => context.with(propagation.extract(ROOT_CONTEXT, traceOf(headers)), work);

const STATES: Readonly<Record<Outcome["kind"], string>> = {
  success: "SUCCESS",
  failure: "FAILURE",
  retry: "RETRY",
  reject: "REJECTED",
  revoked: "REVOKED",
  replace: "IGNORED",
  ignore: "IGNORED",
  lost: "IGNORED",
};

function describe(span: Span, outcome: Outcome): void {
  span.setAttribute("celery.state", STATES[outcome.kind]);
  if (outcome.kind !== "failure" && outcome.kind !== "retry") return;
  const { exc_type: name, exc_module, exc_message } = outcome.error;
  const message = exc_message.map(String).join(", ");
  span.recordException({
    name: `${exc_module}.${name}`,
    message,
    ...(outcome.traceback === undefined ? {} : { stack: outcome.traceback }),
  });
  if (outcome.kind === "failure") span.setStatus({ code: SpanStatusCode.ERROR, message: exceptionRepr(outcome.error) });
}

/**
 * One attempt at a task as a span `run/<task>`, child of whoever sent it, under the names of opentelemetry-instrumentation-celery. `work` gets
 * the headers that what it sends shall carry. Without an SDK there is no span, and the sender's headers are handed on.
 */
export function traced(
  task: TaskMessage,
  delivery: { readonly queue: string },
  work: (carrier: TraceHeaders) => Promise<Outcome>,
): Promise<Outcome> {
  const given = traceOf(task.headers);
  return hasSdk() ? recorded(task, delivery, given, work) : work(given);
}

async function recorded(
  task: TaskMessage,
  delivery: { readonly queue: string },
  given: TraceHeaders,
  work: (carrier: TraceHeaders) => Promise<Outcome>,
): Promise<Outcome> {
  const parent = propagation.extract(ROOT_CONTEXT, given);
  const attributes = {
    "celery.action": "run",
    "celery.task_name": task.name,
    "celery.retries": task.retries,
    "messaging.message.id": task.id,
    "messaging.destination": delivery.queue,
  };
  const span = tracer().startSpan(`run/${task.name}`, { kind: SpanKind.CONSUMER, attributes }, parent);
  const active = trace.setSpan(parent, span);
  const carrier: Record<string, string> = { ...given };
  propagation.inject(active, carrier);
  try {
    const outcome = await context.with(active, () => work(carrier));
    describe(span, outcome);
    return outcome;
  } finally {
    span.end();
  }
}
