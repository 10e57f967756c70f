import * as z from "zod";

/**
 * Tasks without code, as a WorkerPool's `spec.tasks` declares them and `LONGSHORE_DECLARED_TASKS` carries them to the worker. What a
 * schema cannot say is checked by `declaredProblem`, in the operator and in the worker alike.
 */
const name = z.string().min(1).max(255).meta({ description: "The Celery task name, as producers call it." });

const parameter = z.strictObject({
  type: z.enum(["string", "integer", "number", "boolean"]).meta({ description: "What the argument must be." }),
  required: z.boolean().default(true).meta({ description: "Whether a message must carry it; one with a default need not." }),
  default: z.unknown().optional().meta({ description: "Value where a message has none.", preserveUnknown: true }),
  enum: z.array(z.string()).max(200).optional().meta({ description: "Strings: the values that are allowed." }),
  pattern: z.string().max(1_000).optional().meta({ description: "Strings: a regular expression that the whole value must match." }),
  maxLength: z.int().min(0).max(1_000_000).default(4_096).meta({ description: "Strings: longest value." }),
  minimum: z.number().optional().meta({ description: "Numbers: smallest value." }),
  maximum: z.number().optional().meta({ description: "Numbers: largest value." }),
  allowLeadingDash: z.boolean().default(false).meta({
    description: "Strings for a command: may begin with `-`. Without it nobody can pass an option where a file is expected.",
  }),
});
export type Parameter = z.output<typeof parameter>;

const parameters = z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), parameter);

const valueSource = z.strictObject({
  name: z.string().min(1).max(255).meta({ description: "Name." }),
  value: z.string().max(32_768).optional().meta({ description: "The value itself." }),
  fromEnv: z.string().min(1).max(255).optional().meta({ description: "An environment variable of the worker's container." }),
  valueFrom: z
    .strictObject({
      secretKeyRef: z
        .strictObject({
          name: z.string().min(1).max(253).meta({ description: "Name of the Secret, in the same namespace." }),
          key: z.string().min(1).max(253).meta({ description: "Key within the Secret." }),
        })
        .meta({ description: "A key of a Secret." }),
    })
    .optional()
    .meta({ description: "From a Secret; a changed value takes effect by itself." }),
});
export type ValueSource = z.output<typeof valueSource>;

const retry = {
  maxRetries: z.int().min(0).max(1_000).default(3).meta({ description: "How often at most." }),
  backoffSeconds: z.number().min(0).max(86_400).default(1).meta({ description: "First wait; it doubles with every retry." }),
  backoffMaxSeconds: z.number().min(0).max(604_800).default(600).meta({ description: "Longest wait." }),
  jitter: z
    .boolean()
    .default(true)
    .meta({ description: "A random share of the wait, so that what failed together does not return together." }),
} as const;

const shared = {
  name,
  timeLimitSeconds: z.number().min(0.1).max(604_800).optional().meta({ description: "How long one attempt may take." }),
  idempotencyKey: z.string().min(1).max(1_000).optional().meta({
    description: "Two messages with one key have one effect, and both get its result. `$(parameter)` is replaced. Default: the task's id.",
  }),
  mode: z.enum(["at-most-once", "at-least-once"]).default("at-most-once").meta({
    description: "After a worker died while it ran: at-most-once answers EffectUnknown and does not repeat; at-least-once runs it again.",
  }),
  rateLimit: z
    .string()
    .max(32)
    .regex(/^[0-9]+(\.[0-9]+)?(\/[smh])?$/)
    .optional()
    .meta({ description: "Starts in one worker: 10/s, 100/m, 1000/h." }),
} as const;

const command = z.strictObject({
  ...shared,
  argv: z.array(z.string().max(32_768)).min(1).max(200).meta({
    description:
      "Program and arguments, never a shell. `$(parameter)` is replaced within one argument; an argument that is nothing but a missing optional parameter is left out.",
  }),
  parameters: parameters.default({}).meta({ description: "Keyword arguments that a message may carry, by name. All others are refused." }),
  env: z
    .array(valueSource)
    .max(50)
    .default([])
    .meta({ description: "Environment, beside the container's own without CELERY_* and LONGSHORE_*." }),
  workingDirectory: z.string().min(1).max(4_096).optional().meta({ description: "Default: an empty folder per run, removed afterwards." }),
  killAfterSeconds: z
    .number()
    .min(0)
    .max(3_600)
    .default(5)
    .meta({ description: "Between SIGTERM at the time limit and SIGKILL, for the whole process group." }),
  maxOutputBytes: z
    .int()
    .min(0)
    .max(1_048_576)
    .default(65_536)
    .meta({ description: "Kept of stdout (its beginning) and of stderr (its end), each." }),
  successExitCodes: z.array(z.int().min(0).max(255)).min(1).max(256).default([0]).meta({ description: "Exit codes that are a success." }),
  retryExitCodes: z.array(z.int().min(0).max(255)).max(256).default([]).meta({ description: "Exit codes after which it is tried again." }),
  retry: z
    .strictObject(retry)
    .default({ maxRetries: 3, backoffSeconds: 1, backoffMaxSeconds: 600, jitter: true })
    .meta({ description: "When to try again." }),
});
export type Command = z.output<typeof command>;

const STATUSES = [408, 425, 429, 500, 502, 503, 504];
const http = z.strictObject({
  ...shared,
  method: z.enum(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]).default("POST").meta({ description: "HTTP method." }),
  url: z.string().min(1).max(4_096).meta({
    description: "http(s) URL. `$(parameter)` is replaced, percent-encoded, in path and query only. Redirects are not followed.",
  }),
  headers: z.array(valueSource).max(50).default([]).meta({ description: "Request headers. Idempotency-Key is added unless it is here." }),
  parameters: parameters.optional().meta({ description: "Keyword arguments that a message may carry, by name. Without it any are taken." }),
  body: z.enum(["Arguments", "None"]).optional().meta({
    description: "Arguments: the keyword arguments as a JSON object. Default: Arguments for POST, PUT and PATCH, else None.",
  }),
  maxResponseBytes: z.int().min(0).max(1_048_576).default(65_536).meta({ description: "Kept of the response's body." }),
  retry: z
    .strictObject({
      ...retry,
      statuses: z
        .array(z.int().min(300).max(599))
        .max(300)
        .default(STATUSES)
        .meta({ description: "Statuses after which it is tried again; Retry-After is obeyed." }),
    })
    .default({ maxRetries: 3, backoffSeconds: 1, backoffMaxSeconds: 600, jitter: true, statuses: STATUSES })
    .meta({
      description: "When to try again. A request that broke off is repeated only if its method or `mode` says that this does no harm.",
    }),
});
export type HttpCall = z.output<typeof http>;

export const declaredTasksSchema = z.strictObject({
  commands: z.array(command).max(100).optional().meta({ description: "Tasks that run a program of the image." }),
  http: z.array(http).max(100).optional().meta({ description: "Tasks that send a request." }),
});
export type DeclaredTasks = z.output<typeof declaredTasksSchema>;
