const text = (short?: string) => ({ type: "string", ...(short === undefined ? {} : { short }) }) as const;
const flag = (short?: string) => ({ type: "boolean", ...(short === undefined ? {} : { short }) }) as const;

/** `celery worker`'s options that mean here what they mean there, under its names. celery/bin/worker.py, celery/bin/celery.py */
const OBEYED = {
  app: text("A"),
  broker: text("b"),
  "result-backend": text(),
  queues: text("Q"),
  "exclude-queues": text("X"),
  concurrency: text("c"),
  pool: text("P"),
  hostname: text("n"),
  loglevel: text("l"),
  "task-events": flag("E"),
  events: flag(),
  "time-limit": text(),
  "soft-time-limit": text(),
  "max-tasks-per-child": text(),
  "max-memory-per-child": text(),
  "prefetch-multiplier": text(),
} as const;

/** Options that change nothing that anybody would miss. */
const IDLE = {
  optimization: text("O"),
  "disable-prefetch": flag(),
  "pool-start-method": text(),
  "without-gossip": flag(),
  "without-mingle": flag(),
  "without-heartbeat": flag(),
  "heartbeat-interval": text(),
  "no-color": flag("C"),
  quiet: flag("q"),
  "skip-checks": flag(),
  loader: text(),
  config: text(),
  include: text("I"),
  workdir: text(),
} as const;

/** Options that are let pass with a warning, since what they ask for is not done. */
const UNMET = {
  statedb: text("S"),
  logfile: text("f"),
  pidfile: text(),
  uid: text(),
  gid: text(),
  umask: text(),
  executable: text(),
} as const;

/** Options that would be missed: the worker refuses to start with them. */
const REFUSED = {
  detach: flag("D"),
  purge: flag(),
  discard: flag(),
  autoscale: text(),
  beat: flag("B"),
  schedule: text("s"),
  "schedule-filename": text(),
  scheduler: text(),
} as const;

const beat = "run `celery beat` beside it, or make a Schedule object";

/** What to do instead. */
export const INSTEAD: Readonly<Record<keyof typeof REFUSED, string>> = {
  detach: "the worker stays in the foreground, as containers and systemd want it",
  purge: "empty the queues with `celery -A <app> purge` or rabbitmqctl purge_queue",
  discard: "empty the queues with `celery -A <app> purge` or rabbitmqctl purge_queue",
  autoscale: "give --concurrency; replicas are scaled by spec.autoscaling of a WorkerPool",
  beat,
  schedule: beat,
  "schedule-filename": beat,
  scheduler: beat,
};

export const UNMET_NAMES: readonly string[] = Object.keys(UNMET);

/** All of them, for `parseArgs`. */
export const OPTIONS = { ...OBEYED, ...IDLE, ...UNMET, ...REFUSED } as const;
