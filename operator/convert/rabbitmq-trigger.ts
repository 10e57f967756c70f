import { check, explain, isTrue, type Meaning, mapOf, mapped, type Note, none, numberOf } from "./note.ts";

/** KEDA's default when a trigger says neither `value` nor `queueLength`. */
const DEFAULT_VALUE = 20;
/** For modes that name a rate: the wait to begin with. */
const WAIT_SECONDS = 30;

/** What one RabbitMQ trigger comes to. */
export interface RabbitTrigger {
  /** A queue's name; or a pattern, for `useRegex`. */
  readonly queue: string;
  readonly isPattern: boolean;
  /** Tasks per replica; undefined for the modes that do not count tasks. */
  readonly value: number | undefined;
  readonly waitSeconds: number | undefined;
  readonly notes: readonly Note[];
}

const silent = (): Omit<Note, "field"> => mapped("");
const always =
  (outcome: (words: string) => Omit<Note, "field">, words: string): Meaning =>
  () =>
    outcome(words);
const tls = always(
  none,
  "TLS comes with the scheme: write amqps:// in the Broker's Secret; a private authority goes into the operator's trust store",
);

/** Every field of the trigger's metadata (KEDA 2.21), one row each. */
const METADATA: Readonly<Record<string, Meaning>> = {
  queueName: always(mapped, "spec.queues"),
  mode: (mode) =>
    mode === "QueueLength"
      ? mapped("spec.autoscaling.backlogPerReplica")
      : mode === "ExpectedQueueConsumptionTime"
        ? check("spec.autoscaling.waitSeconds: a wait objective, which is what this mode is after")
        : none(
            `a rate per replica is a guess of the service time, which Longshore measures; spec.autoscaling.waitSeconds stands in with ${WAIT_SECONDS} s: say how long a task may wait`,
          ),
  value: silent,
  queueLength: always(mapped, "spec.autoscaling.backlogPerReplica (queueLength is KEDA's old name of value)"),
  activationValue: (value) =>
    numberOf(value) === 0
      ? mapped("the first message starts the first replica, as with 0 here")
      : none("a pool starts with the first message: none is left to wait until there are more"),
  host: always(none, "the address stands in the Broker's Secret; it was not copied, because it may hold a password"),
  hostFromEnv: (name) => none(`the address stands in the Broker's Secret: put there what the environment variable ${String(name)} holds`),
  protocol: (protocol) =>
    protocol === "http"
      ? check("Longshore needs AMQP and the management API: the Broker's Secret takes an amqp:// URI, managementFrom the http:// one")
      : mapped("the Broker's URI"),
  vhostName: (name) => check(`vhost ${JSON.stringify(name)}: the last part of the Broker's URI, percent-encoded; one Broker per vhost`),
  useRegex: (on) =>
    isTrue(on)
      ? check("spec.queues[].pattern: it must match the whole name, which is why .* stands around yours; for runtime custom only")
      : silent(),
  pageSize: always(none, "all queues are read with a constant number of requests; nothing to set"),
  operation: (operation) =>
    operation === "sum"
      ? mapped("the sum over spec.queues")
      : none(`the backlogs of the queues are summed, each with its weight; ${String(operation)} has no equivalent`),
  excludeUnacknowledged: (on) =>
    isTrue(on)
      ? none(
          "what runs counts as well as what waits, so that a busy replica is never counted as idle; a larger backlogPerReplica makes up for it",
        )
      : silent(),
  timeout: always(none, "requests have deadlines of their own"),
  includeUnacked: always(mapped, "what runs counts, always (KEDA 1's name of protocol http)"),
  apiHost: always(none, "the address stands in the Broker's Secret; it was not copied, because it may hold a password"),
  metricName: always(none, "metrics have names of their own: longshore_pool_*"),
  unsafeSsl: (on) => (isTrue(on) ? none("certificates are always checked; give the operator the authority instead") : silent()),
  tls,
  username: always(none, "the login stands in the Broker's Secret"),
  usernameFromEnv: always(none, "the login stands in the Broker's Secret"),
  passwordFromEnv: always(none, "the login stands in the Broker's Secret"),
  workloadIdentityResource: always(none, "workload identity has no equivalent; use a login in the Broker's Secret"),
};

/** Every field of a trigger beside its metadata. */
const TRIGGER: Readonly<Record<string, Meaning>> = {
  type: silent,
  metadata: silent,
  authenticationRef: silent,
  name: always(none, "queues are told apart by their names"),
  metricType: (type) =>
    type === "AverageValue"
      ? mapped("tasks per replica")
      : none("Value scales by a ratio and overshoots while pods start; the threshold is per replica here"),
  useCachedMetrics: always(none, "every queue is read once a second over one shared connection; nothing to cache"),
};

/** Reads one trigger. Never throws: what cannot be read is noted. */
export function readRabbitTrigger(trigger: Readonly<Record<string, unknown>>, at: string): RabbitTrigger {
  const metadata = mapOf(trigger["metadata"]);
  const mode = typeof metadata["mode"] === "string" ? metadata["mode"] : "QueueLength";
  const raw = metadata["value"] ?? metadata["queueLength"];
  const number = numberOf(raw) ?? DEFAULT_VALUE;
  const counts = mode === "QueueLength";
  const value = counts ? number : undefined;
  const waitSeconds = counts ? undefined : mode === "ExpectedQueueConsumptionTime" ? number : WAIT_SECONDS;
  const valueNote: Note = {
    field: `${at}.metadata.value`,
    ...(raw !== undefined && numberOf(raw) === undefined
      ? check(`${JSON.stringify(raw)} is not a number; KEDA's default, ${DEFAULT_VALUE}, stands in`)
      : counts
        ? mapped(`spec.autoscaling.backlogPerReplica${raw === undefined ? `; missing, KEDA's default is ${DEFAULT_VALUE}` : ""}`)
        : mode === "ExpectedQueueConsumptionTime"
          ? check("spec.autoscaling.waitSeconds")
          : none(`${number} per second and replica has no equivalent: see mode`)),
  };
  const queue = typeof metadata["queueName"] === "string" ? metadata["queueName"] : "";
  const isPattern = isTrue(metadata["useRegex"]);
  return {
    queue: isPattern ? wholePattern(queue) : queue,
    isPattern,
    value,
    waitSeconds,
    notes: [...explain(at, trigger, TRIGGER), ...explain(`${at}.metadata`, metadata, METADATA), valueNote],
  };
}

/** RabbitMQ finds a pattern anywhere in a name, unless it is anchored; ours must match the whole name. */
const wholePattern = (pattern: string): string => {
  const begin = pattern.startsWith("^") ? "" : ".*";
  const end = /(^|[^\\])\$$/.test(pattern) ? "" : ".*";
  const inner = pattern.slice(begin === "" ? 1 : 0, end === "" ? -1 : undefined);
  return `${begin}${inner.includes("|") ? `(?:${inner})` : inner}${end}`;
};
