import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Lab, openLab, untilReady, type WorkerProcess } from "./worker-process.ts";

const TASKS = `
import { defineTask, z } from "longshore";
export const headers = defineTask({ name: "o.headers", run: (_, { request }) => request.headers["traceparent"] ?? null });
export const parent = defineTask({ name: "o.parent", args: z.array(z.string()), async run([id], { send }) {
  await send({ task: "o.headers", args: [], kwargs: {}, options: { task_id: id, queue: "q" } });
  return "sent";
} });
`;

/** An SDK as a user's image would bring it, which says on the standard output which spans there were. */
const SDK = `
import { NodeTracerProvider, SimpleSpanProcessor } from "${import.meta.resolve("@opentelemetry/sdk-trace-node")}";
const say = (span) => console.log("SPAN " + JSON.stringify({ name: span.name, kind: span.kind, ...span.spanContext(), parent: span.parentSpanContext?.spanId }));
const exporter = { export: (spans, done) => { spans.forEach(say); done({ code: 0 }); }, shutdown: async () => {} };
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
`;

/** A producer as OpenTelemetry's own instrumentation makes it: a span of the caller's, and under it one for what is sent. */
const PRODUCER = `
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
import celery
memory = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(memory))
if not CeleryInstrumentor().is_instrumented_by_opentelemetry:
    CeleryInstrumentor().instrument(tracer_provider=provider)
celery.producer_spans = getattr(celery, "producer_spans", memory)
with provider.get_tracer("shop").start_as_current_span("checkout") as span:
    call = app.send_task(CALL, ARGS, queue=Queue(QUEUE, no_declare=True))
sent = [each for each in celery.producer_spans.get_finished_spans() if each.attributes.get("messaging.message.id") == call.id]
result = [outcome(call), format(span.get_span_context().trace_id, "032x"), [format(each.get_span_context().span_id, "016x") for each in sent], [each.name for each in sent]]
`;

interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parent?: string;
}

let lab: Lab;
let traced: WorkerProcess;
beforeAll(async () => {
  lab = await openLab("worker-traces", 6, "5.7");
  for (const queue of ["q", "plain"]) await lab.declare(queue);
  const sdk = join(lab.folder, "otel.mjs");
  await writeFile(sdk, SDK);
  traced = await lab.worker({ queues: "q", tasks: { "o.ts": TASKS }, env: { NODE_OPTIONS: `--import ${sdk}` } });
  const plain = await lab.worker({ queues: "plain", tasks: { "o.ts": TASKS } });
  await Promise.all([untilReady(traced), untilReady(plain)]);
});
afterAll(() => lab[Symbol.asyncDispose]());

const produce = async (call: string, args: string, queue: string) => {
  const script = PRODUCER.replace("CALL", JSON.stringify(call)).replace("ARGS", args).replace("QUEUE", JSON.stringify(queue));
  const [outcome, traceId, ids, names] = (await lab.python(script)) as [[string, unknown], string, string[], string[]];
  return { outcome, traceId, id: ids[0], names };
};

const spans = (): readonly Span[] =>
  traced
    .output()
    .split("\n")
    .filter((line) => line.startsWith("SPAN "))
    .map((line) => JSON.parse(line.slice(5)) as Span);

test("Python's instrumentation says where a message belongs, and a worker without an SDK hands it on", async () => {
  const sent = await produce("o.headers", "()", "plain");
  expect(sent.names).toEqual(["apply_async/o.headers"]);
  expect(sent.outcome).toEqual(["ok", expect.stringMatching(`^00-${sent.traceId}-${sent.id}-0[13]$`)]);
  expect(sent.id).toMatch(/^[0-9a-f]{16}$/);
});

test("with an SDK an attempt is a span under Python's, and what the task sends is under the attempt's", async () => {
  const child = crypto.randomUUID();
  const sent = await produce("o.parent", `(${JSON.stringify(child)},)`, "q");
  expect(sent.outcome).toEqual(["ok", "sent"]);
  const ours = (name: string): Span | undefined => spans().find((span) => span.name === name && span.traceId === sent.traceId);
  await expect.poll(() => ours("run/o.headers"), { timeout: 30_000 }).toBeDefined();
  expect(ours("run/o.parent")?.parent).toBe(sent.id);
  expect(ours("run/o.headers")?.parent).toBe(ours("run/o.parent")?.spanId);
  const header = await lab.python(`result = outcome(app.AsyncResult("${child}"))`);
  expect(header).toEqual(["ok", expect.stringMatching(`^00-${sent.traceId}-${ours("run/o.parent")?.spanId}-0[13]$`)]);
});
