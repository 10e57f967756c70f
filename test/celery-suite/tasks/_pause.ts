import { setTimeout as sleep } from "node:timers/promises";

/** Python's `time.sleep`, which a soft limit interrupts: then it throws what the limit throws. */
export async function pause(seconds: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(seconds * 1_000, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
