/**
 * Every reason of a condition or an event, in one table.
 * `severity`: ok and progress make a Normal event, warning and error a Warning.
 * `retry`: wait = looks again soon, by itself; stalled = only a change by the user helps; backoff = retried ever more slowly; none = nothing to retry.
 * `advice`: the sentence that tells the user what to do; it ends the condition's message.
 */
export interface ReasonRow {
  readonly severity: "ok" | "progress" | "warning" | "error";
  readonly retry: "wait" | "stalled" | "backoff" | "none";
  readonly advice: string;
}

const ok = (advice: string) => ({ severity: "ok", retry: "none", advice }) as const;
const progress = (advice: string) => ({ severity: "progress", retry: "wait", advice }) as const;
const warning = (retry: ReasonRow["retry"], advice: string) => ({ severity: "warning", retry, advice }) as const;
const error = (retry: ReasonRow["retry"], advice: string) => ({ severity: "error", retry, advice }) as const;

export const REASONS = {
  // Of every kind
  Ready: ok("Nothing to do."),
  Pending: progress("Longshore has not looked at it yet; wait."),
  Deleting: progress("It is being cleaned up; wait."),
  Orphaned: warning("none", "It was left on the broker; remove it there by hand if it is not wanted."),
  InvalidSpec: error("stalled", "Correct the field that the message names."),
  Conflict: error("stalled", "Two objects claim the same thing; delete one of them."),
  Forbidden: error("backoff", "Give the operator's service account the permission that the message names."),
  Failed: error("backoff", "Longshore tries again by itself; if it stays, look at the operator's log."),

  // Secrets
  SecretMissing: error("wait", "Create the Secret, or correct secretKeyRef.name; Longshore notices within seconds."),
  SecretKeyMissing: error("wait", "Add the key to the Secret, or correct secretKeyRef.key; Longshore notices within seconds."),
  SecretInvalid: error("wait", "Correct the value in the Secret; Longshore notices within seconds."),

  // Brokers
  BrokerMissing: error("wait", "Create the Broker, or correct brokerRef.name."),
  BrokerNotReady: error("wait", "Look at the Broker's own condition."),
  BrokerUnreachable: error("backoff", "Check that the broker runs and that the host and port in the Secret are right."),
  BrokerRefusedLogin: error("wait", "Correct user and password in the Secret, or the user's permissions on the broker."),
  ManagementUnreachable: error(
    "backoff",
    "Enable RabbitMQ's management plugin, and check managementFrom if its address is not port 15672.",
  ),
  VhostMissing: error("wait", "Create the vhost on the broker and give the user access to it, or correct the URI in the Secret."),
  BrokerAlarm: warning("wait", "The broker blocks publishers; free memory or disk space there."),
  NamespaceNotAllowed: error("wait", "Add the namespace to spec.allowedNamespaces of the Broker, or use a Broker of its own namespace."),
  BrokerInUse: progress("Objects still use this Broker; delete them first."),

  // Topology
  Declared: ok("Nothing to do."),
  ArgumentsDiffer: error(
    "stalled",
    "The broker cannot change these; restore the spec, or delete the object on the broker and it is made anew; a queue can keep its messages with updatePolicy: Migrate.",
  ),
  Migrating: progress("The queue is made anew with other arguments while its messages wait in another one; wait."),
  BrokerTooOld: error("stalled", "Take the field away, or use a newer RabbitMQ: this one would ignore it."),
  BrokerRefuses: error("backoff", "Correct the field that the broker complains about; Longshore tries again by itself."),
  Planned: progress("Remove the annotation longshore.dev/plan and it is done."),
  ReadingBack: progress("The broker took it, but does not show it yet; wait."),
  ExchangeMissing: error("wait", "Create the Exchange that the binding names, or correct its name."),
  QueueMissing: error("wait", "Create the Queue that is named, or correct its name."),
  UserMissing: error("wait", "Create the User that the permission names, or correct its name."),
  QueueNotEmpty: warning("wait", "It is not empty and its deletionPolicy is DeleteIfEmpty; empty it, or change the policy."),
  DriftRepaired: warning("none", "Somebody changed it on the broker; Longshore changed it back. Change the spec instead."),
  NotPermitted: error("backoff", "Give the broker's user the permission that the message names."),

  // Stores
  StoreMissing: error("wait", "Create the Store, or correct storeRef.name."),
  StoreNotReady: error("wait", "Look at the Store's own condition."),
  StoreUnreachable: error("backoff", "Check that Redis runs and that the host and port in the Secret are right."),
  StoreRefusedLogin: error("wait", "Correct user and password in the Secret."),
  StoreClustered: error(
    "wait",
    "Give the address of a Redis that is no cluster, or of Sentinels: leases and results are written together.",
  ),
  StoreMayEvict: error("wait", "Set maxmemory-policy noeviction on Redis: otherwise it may drop leases, and a task may run twice."),

  // Worker pools
  TasksMissing: error("wait", "Create the ConfigMap of tasks, or correct tasks.configMapRef.name."),
  TaskModuleBroken: error("wait", "Correct the task module at the file and line that the message names."),
  ImagePullFailed: error("wait", "Correct the image in spec.template, or give the pull secret."),
  PodsFailing: error("wait", "Look at the log of the pod that the message names."),
  PodsPending: progress("Pods wait for a node; check the requests, the quota and the nodes."),
  PodsRefused: error("wait", "The API server refuses the pods; the message says why."),
  RollingOut: progress("Pods are being replaced; wait."),

  // Schedules
  Scheduled: ok("Nothing to do."),
  Suspended: ok("Set spec.suspend to false to go on."),
  Finished: ok("No due time is left; delete the Schedule, or give it new times."),
  RunNow: ok("Nothing to do."),
  RunReplaced: ok("Nothing to do."),
  RunForbidden: warning("none", "The run before takes longer than the time between two; make it shorter, or change concurrencyPolicy."),
  DueTimesMissed: warning("none", "Set catchUp to FireAll to have every due time made up for, and look at what was away."),

  // Autoscaling
  Steady: ok("Nothing to do."),
  ScalingUp: progress("Replicas are being added."),
  ScalingDown: progress("Idle replicas are being drained and removed."),
  AtMaximum: warning("none", "More replicas are needed than maxReplicas allows; raise it if the wait is too long."),
  CoolingDown: ok("The last replica goes when the cooldown is over."),
  BacklogThreshold: ok("Nothing to do."),
  WaitObjective: ok("Nothing to do."),
  Probing: progress("The wait objective takes over when the first tasks have finished."),
  Idle: ok("Nothing to do."),
  ArrivalRate: ok("The size falls when fewer tasks arrive."),
  ScaleUpWindow: ok("The size grows when more is needed for the whole of scaleUp.windowSeconds."),
  ScaleDownWindow: ok("The size falls when less is needed for the whole of scaleDown.windowSeconds."),
  ScaleUpLimit: progress("More replicas follow when these have started; raise scaleUp.maxStep to start more at once."),
  ScaleDownLimit: progress("More replicas follow when these are drained; raise scaleDown.maxStep to drain more at once."),
  AtMinimum: ok("Nothing to do."),
  ScheduledFloor: ok("The size falls when the scheduled floor ends."),
  ManualFloor: ok("Set spec.replicas to 0 to take the floor away."),
  FixedSize: ok("Nothing to do."),
  Paused: warning("none", "Remove the annotation longshore.dev/paused to go on."),
  BacklogUnknown: warning("wait", "The size stays as it is until the backlog can be measured; the message says what is missing."),
  BacklogStale: warning("wait", "The size stays as it is until the backlog can be measured again; check the broker and the network."),
  BacklogContradicted: warning("wait", "Two sensors disagree and the size stays as it is; check that the queue has a leader."),
  ZeroUnconfirmed: progress("The size falls when a second sensor agrees that the queue is empty."),
  ScalingIneffective: warning(
    "none",
    "More replicas do not help; look at what the message names: the workers' logs, the tasks that come back, or what the tasks wait for.",
  ),
  NewLeader: progress("A new operator watches for one window before it removes anything; wait."),
  DrainTimeout: warning("none", "Tasks ran for longer than scaleDown.drainTimeoutSeconds; raise it, or make the tasks shorter."),
  DrainSurprise: warning("none", "Another pod went than the one that was drained; its tasks finish within its grace period."),
  DrainUnknown: warning(
    "wait",
    "What the pods have in flight cannot be known, so none is removed; enable the management plugin of the broker.",
  ),
} as const satisfies Record<string, ReasonRow>;

export type Reason = keyof typeof REASONS;

/** Type of the event that goes with a reason. */
export const eventType = (reason: Reason): "Normal" | "Warning" =>
  REASONS[reason].severity === "ok" || REASONS[reason].severity === "progress" ? "Normal" : "Warning";
