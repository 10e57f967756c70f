const stop = new AbortController();
let cold = false;
for (const signal of ["SIGTERM", "SIGINT", "SIGQUIT"] as const) {
  process.on(signal, () => {
    if (stop.signal.aborted) process.exit(1);
    cold = signal === "SIGQUIT";
    stop.abort();
  });
}

/**
 * Aborts when the process is told to stop; the second time it ends at once. Import it before everything else: the first process of a container
 * ignores a signal that nobody listens to, and would take tasks until it is killed with them.
 */
export const stopSignal: AbortSignal = stop.signal;

/** Whether it was SIGQUIT, as Celery's cold shutdown: what runs goes back to the queue at once. */
export const isCold = (): boolean => cold;

/** As a signal does, from within. Twice is once. */
export const stopNow = (): void => stop.abort();
