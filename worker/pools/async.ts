import type { Pool } from "./pool.ts";

/**
 * All slots on this thread's event loop: right for tasks that wait on I/O or on child processes. A task that computes without
 * pause stops every slot, the renewal of leases, heartbeats and remote control until it yields; it cannot be stopped by a limit.
 */
export function asyncPool(): Pool {
  return {
    name: "async",
    pids: [process.pid],
    run: async (task, input, context) => await task.run(input, context),
    async [Symbol.asyncDispose]() {
      // It holds nothing.
    },
  };
}
