import { setTimeout } from "node:timers/promises";
import { defineTask, z } from "longshore";

/** Stands for work that waits: a mail server that takes its time. */
export const mail = defineTask({
  name: "emails.send",
  kwargs: z.object({ to: z.email(), ms: z.int().min(0).default(100) }),
  async run({ to, ms }, { signal }) {
    await setTimeout(ms, undefined, { signal });
    return to;
  },
});
