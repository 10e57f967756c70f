import * as z from "zod";
import { TASKS_FOLDER, WORKER_HTTP_PORT } from "./names.ts";

const list = z.string().transform((text) =>
  text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== ""),
);

/** Ten years stand for Celery's «never»: Redis knows no such time. */
const seconds = z.coerce
  .number()
  .int()
  .min(0)
  .transform((given) => (given === 0 ? 315_360_000 : given));

/**
 * A worker's whole environment: the operator renders it (`deployment.ts`), the worker parses it, once, in `main.ts`.
 * The two URLs come from the user's Secrets by `secretKeyRef`, never through the operator's hands.
 */
export const workerEnvSchema = z.object({
  LONGSHORE_NAMESPACE: z.string().default("default"),
  LONGSHORE_POOL: z.string().default("local"),
  POD_NAME: z.string().min(1).meta({ description: "From the downward API; outside Kubernetes the host name." }),
  LONGSHORE_QUEUES: list.pipe(z.array(z.string()).min(1)).meta({ description: "Queues to consume, by comma." }),
  LONGSHORE_CONCURRENCY: z.coerce.number().int().min(1).max(1_000).default(1).meta({ description: "Slots." }),
  LONGSHORE_PREFETCH_MULTIPLIER: z.coerce.number().int().min(1).max(100).default(1).meta({
    description: "Messages that a worker holds per slot, those that run included; more than 1 waits here while others may be idle.",
  }),
  LONGSHORE_WORKER_POOL: z
    .enum(["async", "threads", "processes", "solo", "prefork", "gevent", "eventlet"])
    .default("async")
    .meta({ description: "How slots run tasks: one event loop, threads, or processes; Celery's names are aliases." }),
  LONGSHORE_MAX_TASKS_PER_CHILD: z.coerce
    .number()
    .int()
    .min(1)
    .optional()
    .meta({ description: "Tasks after which a thread or process is replaced." }),
  LONGSHORE_MAX_MEMORY_MB_PER_CHILD: z.coerce.number().int().min(16).optional().meta({ description: "Heap of a thread or process, MB." }),
  LONGSHORE_TASKS: z.string().default(TASKS_FOLDER).meta({ description: "Folder of the user's task modules." }),
  LONGSHORE_DECLARED_TASKS: z
    .string()
    .default("")
    .meta({ description: "Tasks without code, as YAML or JSON: commands and http, as in a WorkerPool's spec.tasks." }),
  LONGSHORE_DRAIN_SECONDS: z.coerce
    .number()
    .int()
    .min(0)
    .default(25)
    .meta({ description: "After SIGTERM, how long running tasks may take to finish." }),
  LONGSHORE_HTTP_PORT: z.coerce.number().int().min(0).max(65_535).default(WORKER_HTTP_PORT),
  LONGSHORE_LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error"]).default("info"),
  LONGSHORE_NODE_NAME: z.string().optional().meta({ description: "Node name on Celery's remote control; celery@<POD_NAME> unless set." }),
  LONGSHORE_EVENTS: z.stringbool().default(false).meta({ description: "Task events from the start, as `celery worker -E`." }),
  LONGSHORE_TIME_LIMIT: z.coerce.number().positive().optional().meta({ description: "Hard limit of tasks that set none, s." }),
  LONGSHORE_SOFT_TIME_LIMIT: z.coerce.number().positive().optional().meta({ description: "Soft limit of tasks that set none, s." }),
  CELERY_TASK_ACKS_LATE: z.stringbool().default(true).meta({
    description: "Celery's task_acks_late, for tasks that do not say. Unlike Celery's, the default is true: a crash loses nothing.",
  }),
  CELERY_TASK_ACKS_ON_FAILURE_OR_TIMEOUT: z
    .stringbool()
    .default(true)
    .meta({ description: "false: messages of failed tasks go to the dead letters." }),
  LONGSHORE_DELIVERY_LIMIT: z.coerce.number().int().min(0).max(1_000_000).default(18).meta({
    description:
      "How often a message may come back before its task fails and it goes to the dead letters; 0: for ever. Below RabbitMQ's own limit of 20, which would drop it without a word.",
  }),
  LONGSHORE_DEAD_LETTER_EXCHANGE: z
    .string()
    .optional()
    .meta({ description: "Where dead letters are published with their reason; without it they are rejected, and the queue decides." }),
  LONGSHORE_DEAD_LETTER_ROUTING_KEY: z.string().optional().meta({ description: "Their routing key; the queue's name unless set." }),
  LONGSHORE_CREATE_QUEUES: z.enum(["no", "classic", "quorum"]).default("no").meta({
    description: "Create queues that are missing, each with a direct exchange of its name, as Celery does. With the operator: no.",
  }),
  LONGSHORE_DELAYED_ROUTES: list
    .transform((routes) =>
      routes.map((route): [queue: string, key: string] => {
        const [queue = "", key = queue] = route.split("=", 2);
        return [queue, key];
      }),
    )
    .default([])
    .meta({
      description:
        "Queues that Celery's native delayed delivery must reach, by comma: <queue> or <queue>=<routing key>. For producers that declare quorum queues on topic exchanges.",
    }),
  LONGSHORE_STORE_URL: z
    .string()
    .optional()
    .meta({ description: "redis(s)://: leases and heartbeats, when CELERY_RESULT_BACKEND is rpc://." }),
  CELERY_BROKER_URL: z.string().min(1).meta({ description: "amqp(s)://user:password@host:port/vhost" }),
  CELERY_RESULT_BACKEND: z.string().min(1).meta({
    description:
      "redis(s):// or sentinel://host,host/master: results, leases, heartbeats; or rpc://: results go to the client's own queue.",
  }),
  CELERY_TASK_TRACK_STARTED: z.stringbool().default(false).meta({ description: "Store the state STARTED when a task begins." }),
  CELERY_RESULT_EXTENDED: z
    .stringbool()
    .default(false)
    .meta({ description: "Keep name, arguments, worker, retries and queue of a task with its result." }),
  CELERY_RESULT_EXPIRES: seconds.default(86_400).meta({ description: "How long results are kept, s; 0 for ever." }),
  CELERY_RESULT_FAILURE_EXPIRES: seconds.optional().meta({ description: "The same for failures." }),
  CELERY_RESULT_COMPRESSION: z
    .enum(["gzip", "zlib", "brotli", "zstd"])
    .optional()
    .meta({ description: "How successes are compressed; Celery 5.7 reads them." }),
});
export type WorkerEnv = z.output<typeof workerEnvSchema>;
