/** Names that the operator writes and the worker reads, or the other way round. A change here is a change of the wire. */

/** Label on every pod and Deployment of a pool; its value is the WorkerPool's name. */
export const POOL_LABEL = "longshore.dev/pool";

/** Annotation on a pod whose consumers the operator has cancelled; its value is the RFC 3339 time of the cordon. */
export const DRAINING_ANNOTATION = "longshore.dev/draining";

/** Annotation on the pod template: a digest of what the pods read from Secrets and ConfigMaps, so that a change rolls them. */
export const INPUTS_ANNOTATION = "longshore.dev/inputs";

/** Where the pool's ConfigMap of task modules is mounted in a worker. */
export const TASKS_FOLDER = "/app/tasks";

/** Port of the worker's `/healthz`, `/readyz` and `/metrics`. */
export const WORKER_HTTP_PORT = 9808;

/** Name of the container of a pool's pods that runs the worker; a template that names it is merged over it. */
export const WORKER_CONTAINER = "worker";

/** File that a worker writes before it exits on an error of its user's (a broken task module): Kubernetes shows it in the pod's status. */
export const TERMINATION_LOG = "/dev/termination-log";

/** Exit status of a worker that cannot load a task module (`EX_CONFIG` of sysexits.h); `TERMINATION_LOG` names the file and line. */
export const TASK_MODULE_BROKEN_EXIT = 78;

/** One pool, wherever Redis keys, metrics or logs name it. */
export interface PoolName {
  readonly namespace: string;
  readonly name: string;
}

/** Redis HASH of a pool's heartbeats: field = pod name, value = JSON of `heartbeatSchema`. The braces keep one pool on one cluster slot. */
export const heartbeatsKey = ({ namespace, name }: PoolName): string => `longshore:heartbeats:{${namespace}/${name}}`;

/** A result backend that is the client's own queue: the store is named apart then. */
export const isRpc = (backend: string): boolean => backend.startsWith("rpc://");

/** A worker's node name on Celery's remote control and in its events, as `celery inspect -d` takes it. */
export const nodeName = (pod: string): string => `celery@${pod}`;

/** Redis HASH with what the operator has published for a schedule, by the schedule's uid. */
export const scheduleKey = (uid: string): string => `longshore:schedule:{${uid}}`;

/** Redis HASH of a task's lease, for a task without an idempotency key of its own. */
export const taskRecordKey = (taskId: string): string => `longshore:idem:{task:${taskId}}`;

/** Redis key of a task's result. celery/backends/base.py */
export const taskResultKey = (taskId: string): string => `celery-task-meta-${taskId}`;

/** Header with the due time, RFC 3339, of a task that a schedule published. */
export const DUE_HEADER = "longshore-due";

/** Header with `namespace/name` of the schedule that published a task. */
export const SCHEDULE_HEADER = "longshore-schedule";

/** Header that says when a message was published, ms since the epoch: waits are measured from it. */
export const PUBLISHED_AT_HEADER = "x-enqueued-at";
