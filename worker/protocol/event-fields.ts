import { exceptionRepr, type PyException } from "./exception.ts";
import { saferepr } from "./saferepr.ts";

/** What a worker says of itself in `worker-online`, `worker-heartbeat` and `worker-offline`. celery/worker/heartbeat.py */
export function workerFields(worker: {
  /** Seconds between heartbeats; others hold a worker for lost after a few of them. */
  readonly freq: number;
  readonly active: number;
  readonly processed: number;
  readonly loadavg: readonly [number, number, number];
  readonly version: string;
}): Record<string, unknown> {
  const { freq, active, processed, loadavg, version } = worker;
  const rounded = loadavg.map((value) => Math.round(value * 100) / 100);
  return { freq, active, processed, loadavg: rounded, sw_ident: "longshore", sw_ver: version, sw_sys: "Linux" };
}

export const startedFields = (uuid: string): Record<string, unknown> => ({ uuid });

/** `result` is shown raw: a repr as Python prints it. `runtime` in seconds. */
export const succeededFields = (uuid: string, result: unknown, runtime: number): Record<string, unknown> => ({
  uuid,
  result: saferepr(result),
  runtime,
});

export const failedFields = (uuid: string, error: PyException, traceback: string): Record<string, unknown> => ({
  uuid,
  exception: exceptionRepr(error),
  traceback,
});

/** `error` is what made the task retry; absent when it asked for it without a reason. */
export const retriedFields = (uuid: string, error: PyException | undefined, traceback: string): Record<string, unknown> => ({
  uuid,
  exception: error === undefined ? "None" : exceptionRepr(error),
  traceback,
});

export const rejectedFields = (uuid: string, requeue: boolean): Record<string, unknown> => ({ uuid, requeue });

/** `signum` is the name of the signal, when the task was terminated. */
export const revokedFields = (
  uuid: string,
  why: { readonly terminated?: boolean; readonly signum?: string; readonly expired?: boolean },
): Record<string, unknown> => ({ uuid, terminated: why.terminated ?? false, signum: why.signum ?? null, expired: why.expired ?? false });
