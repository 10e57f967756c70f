import { context, propagation, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { afterEach, expect, test } from "vitest";
import { publication } from "./client/send.ts";
import type { Outcome } from "./engine/outcome.ts";
import { withTrace } from "./engine/with-trace.ts";
import { encodeTask } from "./protocol/encode-task.ts";
import { decodeTask } from "./protocol/message.ts";
import { inTrace, traced } from "./tracing.ts";

const PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const spans = new InMemorySpanExporter();
const withSdk = (): void => new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }).register();
afterEach(() => {
  for (const api of [trace, propagation, context]) api.disable();
  spans.reset();
});

function message(headers: Record<string, unknown>) {
  const decoded = decodeTask(encodeTask({ id: "t", name: "shop.pay", origin: "test", headers }));
  if (decoded.kind !== "task") throw new Error(decoded.reason);
  return decoded.task;
}
const run = async (headers: Record<string, unknown>, outcome: Outcome = { kind: "success", value: 1 }) => {
  let carried = {};
  await traced(message(headers), { queue: "q" }, async (carrier) => {
    carried = carrier;
    return outcome;
  });
  return carried;
};
const send = () => {
  const route = { exchange: "", routingKey: "q", priority: undefined };
  return publication({ id: "t", name: "n", args: [], kwargs: {}, origin: "o" }, route, {}, 0).properties.headers;
};

test("without an SDK a message's trace is handed on as it came, and nothing is invented", async () => {
  const headers = { traceparent: PARENT, tracestate: "a=b", baggage: "tenant=x", other: "y" };
  expect(await run(headers)).toEqual({ traceparent: PARENT, tracestate: "a=b", baggage: "tenant=x" });
  expect(await run({})).toEqual({});
  expect(send()).not.toHaveProperty("traceparent");
});

test("with one, an attempt is a span under the sender's, and what it sends is under its own", async () => {
  withSdk();
  const carried = await run({ traceparent: PARENT });
  const [span] = spans.getFinishedSpans();
  expect(span).toMatchObject({ name: "run/shop.pay", kind: SpanKind.CONSUMER, parentSpanContext: { spanId: "b7ad6b7169203331" } });
  expect(span?.attributes).toMatchObject({
    "celery.action": "run",
    "celery.task_name": "shop.pay",
    "celery.state": "SUCCESS",
    "messaging.message.id": "t",
  });
  const { traceId, spanId } = span?.spanContext() ?? { traceId: "", spanId: "" };
  expect(traceId).toBe("0af7651916cd43dd8448eb211c80319c");
  expect(carried).toEqual({ traceparent: `00-${traceId}-${spanId}-01` });
});

test("a failure is an error with its exception, a retry is none", async () => {
  withSdk();
  const error = { exc_type: "ValueError", exc_message: ["bad"], exc_module: "builtins" };
  await run({}, { kind: "failure", error });
  await run({}, { kind: "retry", delayMs: 1, error });
  const [failed, retried] = spans.getFinishedSpans();
  expect(failed).toMatchObject({ status: { code: SpanStatusCode.ERROR, message: "ValueError('bad')" } });
  expect(failed?.events[0]?.attributes).toMatchObject({ "exception.type": "builtins.ValueError", "exception.message": "bad" });
  expect(retried).toMatchObject({ status: { code: SpanStatusCode.UNSET }, attributes: { "celery.state": "RETRY" } });
});

test("a producer's message carries its active span, also from inside of a child's task", () => {
  withSdk();
  const headers = inTrace({ traceparent: PARENT }, send);
  expect(headers).toMatchObject({ traceparent: PARENT });
});

test("a message that says where it belongs is left alone where that is wanted", () => {
  const given = { properties: { headers: { traceparent: "mine" } } };
  expect(withTrace(given, { traceparent: PARENT }, "unless there")).toBe(given);
  expect(withTrace(given, { traceparent: PARENT }).properties.headers).toEqual({ traceparent: PARENT });
  expect(withTrace(given, {})).toBe(given);
});
