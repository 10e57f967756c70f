import * as z from "zod";
import type { HttpCall } from "../../contract/declared-tasks.ts";
import { expand } from "../../contract/placeholders.ts";
import type { Value } from "../../protocol/json/value.ts";
import { defineTask, type Task, type TaskContext } from "../define-task.ts";
import { Retry } from "../outcomes.ts";
import { noPositional, parametersSchema, textOf } from "./parameters.ts";
import { readBounded, toValue } from "./response.ts";
import { retryAfterMs } from "./retry-after.ts";
import { valuesOf } from "./sources.ts";

type Values = Readonly<Record<string, unknown>>;
type Env = Readonly<Record<string, string | undefined>>;

/** What a task needs of the world around it. */
export interface HttpDeps {
  readonly env: Env;
  readonly fetch: (url: URL, init: RequestInit) => Promise<Response>;
  readonly now: () => number;
}

/** The answer was no success. */
class HttpStatusError extends Error {
  override readonly name = "HttpStatusError";
}

/** Repeating these does no harm: RFC 9110, 9.2.2. */
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "DELETE"]);
/** The connection was never made: nothing can have happened. */
const UNSENT: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** The URL with its values in it. Throws TypeError when a value would lead out of the path: `..` cannot be encoded. */
function urlOf(template: string, values: Values): URL {
  const url = new URL(expand(template, (name) => encodeURIComponent(textOf(values, name))));
  const shape = new URL(expand(template, () => "x"));
  const depth = ({ pathname }: URL): number => pathname.split("/").length;
  if (depth(url) !== depth(shape)) throw new TypeError("kwargs: a value changes the path of the URL; it must not be . or ..");
  return url;
}

/** As any server reads it: none of the types that Celery adds to JSON. */
const plainJson = (values: Values): string =>
  JSON.stringify(values, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));

/** Without the query: it may hold a secret. */
const shown = (method: string, { origin, pathname }: URL): string => `${method} ${origin}${pathname}`;

const codeOf = (error: unknown): string => {
  const cause = error instanceof Error ? error.cause : undefined;
  return typeof cause === "object" && cause !== null && "code" in cause && typeof cause.code === "string" ? cause.code : "";
};

/** What became of a request without an answer: once more where that does no harm, else a failure that says so. */
function broken(call: HttpCall, url: URL, error: unknown, { signal }: TaskContext): unknown {
  const reason: unknown = signal.reason;
  const late = signal.aborted && reason instanceof Error && reason.name === "SoftTimeLimitExceeded";
  if (signal.aborted && !late) return reason;
  const code = codeOf(error);
  const what = late ? `no answer within ${reason.message}` : code || (error instanceof Error ? error.message : String(error));
  const failure = Object.assign(new Error(`${shown(call.method, url)}: ${what}`), { code: late ? "ETIMEDOUT" : code });
  const harmless = UNSENT.has(code) || IDEMPOTENT.has(call.method) || call.mode === "at-least-once";
  return harmless ? new Retry(failure.message, { cause: failure }) : failure;
}

async function run(call: HttpCall, values: Values, context: TaskContext, key: string, deps: HttpDeps): Promise<Value> {
  const { method, retry } = call;
  const url = urlOf(call.url, values);
  const headers = new Headers(valuesOf(call.headers, deps.env));
  const sends = call.body === undefined ? ["POST", "PUT", "PATCH"].includes(method) : call.body === "Arguments";
  if (sends && !headers.has("content-type")) headers.set("content-type", "application/json");
  if (!headers.has("idempotency-key")) headers.set("idempotency-key", key);
  let answer: { response: Response; body: Awaited<ReturnType<typeof readBounded>> };
  try {
    const init = { method, headers, signal: context.signal, redirect: "manual" as const, ...(sends ? { body: plainJson(values) } : {}) };
    const response = await deps.fetch(url, init);
    answer = { response, body: await readBounded(response, call.maxResponseBytes) };
  } catch (error) {
    throw broken(call, url, error, context);
  }
  const { response, body } = answer;
  if (response.ok) return { status: response.status, body: toValue(response, body), truncated: body.truncated };
  const failure = new HttpStatusError(`${shown(method, url)} answered ${response.status}: ${body.text.slice(0, 500)}`);
  if (!retry.statuses.includes(response.status)) throw failure;
  const asked = retryAfterMs(response.headers.get("retry-after"), deps.now());
  throw new Retry(failure.message, {
    cause: failure,
    ...(asked === undefined ? {} : { delayMs: Math.min(asked, retry.backoffMaxSeconds * 1_000) }),
  });
}

/** How long a request may take that says nothing, s. */
const TIME_LIMIT_S = 30;

/** A declared request as a task. The effect begins with the request. */
export function httpTask(call: HttpCall, deps: HttpDeps): Task {
  const { retry, timeLimitSeconds = TIME_LIMIT_S, idempotencyKey, rateLimit } = call;
  const keyOf = (values: Values): string | undefined =>
    idempotencyKey === undefined ? undefined : expand(idempotencyKey, (name) => textOf(values, name));
  const task = defineTask<typeof noPositional, z.ZodType<Values>>({
    name: call.name,
    mode: call.mode,
    effectStarts: "at-run",
    args: noPositional,
    kwargs: call.parameters === undefined ? z.record(z.string(), z.unknown()) : parametersSchema(call.parameters, false),
    maxRetries: retry.maxRetries,
    retryBackoff: retry.backoffSeconds,
    retryBackoffMax: retry.backoffMaxSeconds,
    retryJitter: retry.jitter,
    softTimeLimit: timeLimitSeconds,
    timeLimit: timeLimitSeconds + 5,
    ...(rateLimit === undefined ? {} : { rateLimit }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey: ({ kwargs }) => keyOf(kwargs) ?? "" }),
    run: ({ kwargs }, context) => run(call, kwargs, context, keyOf(kwargs) ?? context.taskId, deps),
  });
  return { ...task, runsIn: "supervisor" };
}
