import { Redis } from "ioredis";
import { defineTask } from "longshore";

/** Runs in real workers: counts each task's effect in Redis, by the task's id. */
const ledger = new Redis(process.env["LEDGER_URL"] ?? "");

export const tick = defineTask({
  name: "ledger.tick",
  ignoreResult: true,
  async run(_, { taskId, effect }) {
    await effect();
    await ledger.hincrby("ledger:effects", taskId, 1);
  },
});
