import * as z from "zod";
import { type CanvasDeps, canvasTasks } from "./builtin-canvas.ts";
import { defineTask, type Task } from "./define-task.ts";

/** Celery's own liveness task. */
const ping = defineTask({ name: "celery.ping", run: () => "pong" });

/** Gives back what it got, after a while: for tests and first steps. */
const echo = defineTask({
  name: "longshore.echo",
  kwargs: z.object({ value: z.unknown(), delay_ms: z.number().min(0).default(0) }),
  async run({ value, delay_ms }, { signal }) {
    if (delay_ms > 0) {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(resolve, delay_ms);
        signal.addEventListener("abort", () => {
          clearTimeout(timer);
          reject(signal.reason);
        });
      });
    }
    return value ?? null;
  },
});

/** Tasks that every worker knows; a user's task of the same name wins. */
export const builtinTasks = (deps: CanvasDeps): readonly Task[] => [ping, echo, ...canvasTasks(deps)];
