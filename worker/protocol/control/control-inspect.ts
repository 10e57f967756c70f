import { formatIso } from "../json/iso.ts";
import type { ConsumedQueue, HeldTask, WorkerSnapshot } from "./control-snapshot.ts";

/** `Request.info()` of celery/worker/request.py; `safe` shows the arguments as reprs. */
export function taskInfo(held: HeldTask, hostname: string, safe = false): Record<string, unknown> {
  const { task } = held;
  return {
    id: task.id,
    name: task.shadow ?? task.name,
    args: safe ? (task.argsRepr ?? "") : task.args,
    kwargs: safe ? (task.kwargsRepr ?? "") : task.kwargs,
    type: task.name,
    hostname,
    time_start: held.startedAt ?? null,
    acknowledged: held.acknowledged,
    delivery_info: {
      exchange: held.exchange,
      routing_key: held.routingKey,
      priority: task.priority ?? null,
      redelivered: held.redelivered,
    },
    worker_pid: held.workerPid ?? null,
  };
}

/** `Queue.as_dict(recurse=True)` of kombu/entity.py, field by field. */
export function queueInfo({ name, routingKey, exchange, arguments: queueArguments }: ConsumedQueue): Record<string, unknown> {
  return {
    name,
    exchange: {
      name: exchange.name,
      type: exchange.type,
      arguments: null,
      durable: true,
      passive: false,
      auto_delete: false,
      delivery_mode: null,
      no_declare: false,
    },
    routing_key: routingKey,
    queue_arguments: queueArguments ?? null,
    binding_arguments: null,
    consumer_arguments: null,
    durable: true,
    exclusive: false,
    auto_delete: false,
    no_ack: false,
    alias: null,
    bindings: [],
    no_declare: null,
    expires: null,
    message_ttl: null,
    max_length: null,
    max_length_bytes: null,
    max_priority: null,
  };
}

/** One line of `inspect scheduled`. */
export function scheduledInfo(held: HeldTask, hostname: string): Record<string, unknown> {
  const { eta, headers } = held.task;
  // The text that came has Python's microseconds.
  const text = typeof headers["eta"] === "string" ? headers["eta"] : eta === undefined ? null : formatIso(eta.getTime());
  return { eta: text, priority: 6, request: taskInfo(held, hostname) };
}

/** `inspect stats`: what Flower and `celery inspect` read of it, under Celery's names. */
export function statsInfo(worker: WorkerSnapshot): Record<string, unknown> {
  const { pool, broker, usage } = worker;
  const total = Object.values(worker.totals).reduce((sum, count) => sum + count, 0);
  return {
    total: worker.totals,
    pid: worker.pid,
    clock: String(worker.clock),
    uptime: Math.round(worker.uptimeSeconds),
    pool: {
      implementation: pool.implementation,
      "max-concurrency": pool.concurrency,
      processes: pool.processes,
      "max-tasks-per-child": "N/A",
      "put-guarded-by-semaphore": false,
      timeouts: [0, 0],
      writes: {
        total,
        avg: "1.00",
        all: "1.00",
        raw: String(total),
        strategy: "fair",
        inqueues: { total: pool.processes.length, active: 0 },
      },
    },
    broker: {
      hostname: broker.hostname,
      userid: broker.userid,
      virtual_host: broker.virtualHost,
      port: broker.port,
      insist: false,
      ssl: broker.ssl,
      transport: "amqp",
      connect_timeout: 4,
      transport_options: {},
      login_method: "PLAIN",
      uri_prefix: null,
      heartbeat: 120,
      failover_strategy: "round-robin",
      alternates: [],
      credential_provider: null,
    },
    prefetch_count: worker.prefetch,
    ...(worker.storeWarning === undefined ? {} : { store: { warning: worker.storeWarning } }),
    rusage: rusage(usage),
  };
}

/** Node counts CPU in microseconds, Python in seconds; the other fields are those of getrusage(2). */
function rusage(usage: WorkerSnapshot["usage"]): Record<string, number> {
  const field = (name: string): number => usage[name] ?? 0;
  return {
    utime: usage.userCPUTime / 1_000_000,
    stime: usage.systemCPUTime / 1_000_000,
    maxrss: usage.maxRSS,
    ixrss: field("sharedMemorySize"),
    idrss: field("unsharedDataSize"),
    isrss: field("unsharedStackSize"),
    minflt: field("minorPageFault"),
    majflt: field("majorPageFault"),
    nswap: field("swappedOut"),
    inblock: field("fsRead"),
    oublock: field("fsWrite"),
    msgsnd: field("ipcSent"),
    msgrcv: field("ipcReceived"),
    nsignals: field("signalsCount"),
    nvcsw: field("voluntaryContextSwitches"),
    nivcsw: field("involuntaryContextSwitches"),
  };
}
