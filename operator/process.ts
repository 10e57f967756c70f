import type { Log } from "./runtime/log.ts";

/** How long stopping may take before the process ends without it: below the pod's grace period, and what is lost then expires or is repaired. */
const STOP_MS = 5_000;

/**
 * A signal that aborts on SIGTERM or SIGINT. A second signal, or one that is not obeyed within 5 s, ends the process at once with status 1.
 */
export function stopSignal(log: Log): AbortSignal {
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    if (stop.signal.aborted) {
      log.warn({ signal: name }, "ending at once");
      process.exit(1);
    }
    log.info({ signal: name }, "stopping");
    stop.abort();
    setTimeout(() => {
      log.error({}, "could not stop in time");
      process.exit(1);
    }, STOP_MS).unref();
  };
  for (const name of ["SIGTERM", "SIGINT"] as const) process.on(name, onSignal);
  return stop.signal;
}
