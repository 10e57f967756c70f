import type { WorkerEnv } from "../contract/env.ts";
import { isRpc } from "../contract/names.ts";
import type { Value } from "../protocol/json/value.ts";

/** A URL as `inspect conf` shows it: Celery's mask in place of the password. */
function masked(text: string): string {
  // Its query may hold a second one.
  if (text.startsWith("sentinel:")) return "sentinel://********";
  const url = URL.parse(text);
  if (url === null) return "";
  if (url.password === "") return text;
  url.password = "MASK";
  return url.href.replace(":MASK@", ":********@");
}

/** What `inspect conf` answers: this worker's settings under Celery's names. Never a password. */
export function confOf(env: WorkerEnv, slots: number): Readonly<Record<string, Value>> {
  return {
    accept_content: ["json", "msgpack", "yaml"],
    broker_heartbeat: 120,
    broker_url: masked(env.CELERY_BROKER_URL),
    deprecated_settings: null,
    enable_utc: true,
    include: [env.LONGSHORE_TASKS],
    result_backend: isRpc(env.CELERY_RESULT_BACKEND) ? env.CELERY_RESULT_BACKEND : masked(env.CELERY_RESULT_BACKEND),
    result_expires: env.CELERY_RESULT_EXPIRES,
    result_extended: env.CELERY_RESULT_EXTENDED,
    task_acks_late: env.CELERY_TASK_ACKS_LATE,
    task_acks_on_failure_or_timeout: env.CELERY_TASK_ACKS_ON_FAILURE_OR_TIMEOUT,
    task_create_missing_queues: env.LONGSHORE_CREATE_QUEUES !== "no",
    task_track_started: env.CELERY_TASK_TRACK_STARTED,
    timezone: "UTC",
    worker_concurrency: slots,
    worker_hijack_root_logger: false,
    worker_log_color: false,
    worker_pool: env.LONGSHORE_WORKER_POOL,
    worker_send_task_events: env.LONGSHORE_EVENTS,
  };
}
