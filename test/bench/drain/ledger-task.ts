import { createConnection } from "node:net";
import { defineTask, z } from "longshore";

/**
 * Runs in the worker, from a ConfigMap: a task that sleeps, for a negative time until the ledger says a word, and writes to the bench's ledger when it starts and ends, and when its process
 * is told to stop. Lines go over one socket, written at once, so that the last one arrives even from a process that exits next.
 */
const pod = process.env["POD_NAME"] ?? "";
const ledger = createConnection({ host: process.env["LEDGER_HOST"] ?? "", port: Number(process.env["LEDGER_PORT"]), noDelay: true });
const write = (line: object): void => void ledger.write(`${JSON.stringify({ pod, at: Date.now(), ...line })}\n`);
const released = new Promise<void>((resolve) => ledger.once("data", () => resolve()));
let busy = 0;

write({ event: "hello" });
// Before the worker's own handler does anything: what it is told while a slot is busy counts as busy.
process.prependListener("SIGTERM", () => write({ event: "told", busy }));

export const sleepTask = defineTask({
  name: "ledger.sleep",
  kwargs: z.object({ ms: z.number() }),
  ignoreResult: true,
  async run({ ms }, { taskId, redelivered, signal }) {
    busy += 1;
    write({ event: "start", task: taskId, redelivered });
    try {
      await new Promise<void>((resolve, reject) => {
        if (ms < 0) void released.then(resolve);
        const timer = setTimeout(resolve, ms < 0 ? 600_000 : ms);
        signal.addEventListener("abort", () => {
          clearTimeout(timer);
          reject(signal.reason);
        });
      });
      write({ event: "end", task: taskId });
    } finally {
      busy -= 1;
    }
  },
});
