import type { Clock } from "../ports.ts";
import { receivedFields } from "../protocol/events.ts";
import { exceptionRepr } from "../protocol/exception.ts";
import { pyRepr } from "../protocol/repr.ts";
import type { TaskLog } from "../tasks/define-task.ts";
import type { Observer } from "./attempt.ts";
import type { Events } from "./events.ts";
import type { Metrics } from "./metrics.ts";
import type { Tally } from "./tally.ts";

/** Tells counters, metrics, Celery's events and the log what happens to each task. */
export function observe(deps: { tally: Tally; metrics: Metrics; events: Events; log: TaskLog; clock: Clock }): Observer {
  const { tally, metrics, events, log, clock } = deps;
  return {
    received(task) {
      tally.total.set(task.name, (tally.total.get(task.name) ?? 0) + 1);
      events.task("task-received", () => receivedFields(task));
    },
    started(task) {
      if (task.enqueuedAt !== undefined) {
        // A task that asked for a later time waits from then on.
        tally.waitMs += Math.max(0, clock.now() - Math.max(task.enqueuedAt, task.eta?.getTime() ?? 0));
        tally.waited += 1;
      }
      events.task("task-started", () => ({ uuid: task.id }));
    },
    ended(task, event, result, runMs) {
      if (event === undefined) return;
      tally.finished += 1;
      if (event === "task-failed" || event === "task-rejected") tally.failed += 1;
      tally.busyMs += runMs ?? 0;
      metrics.ended(task.name, event, runMs);
      const exception = result?.error === undefined ? "" : exceptionRepr(result.error);
      if (event === "task-failed") log.warn({ task: task.name, taskId: task.id, exception, runMs }, "task failed");
      else log.debug({ task: task.name, taskId: task.id, event, runMs }, "task ended");
      events.task(event, () => {
        const uuid = task.id;
        if (event === "task-succeeded") return { uuid, result: pyRepr(result?.result ?? null), runtime: (runMs ?? 0) / 1_000 };
        if (event === "task-rejected") return { uuid, requeue: result === undefined };
        if (event === "task-revoked")
          return { uuid, terminated: exception.includes("terminated"), signum: null, expired: exception.includes("expired") };
        return { uuid, exception, traceback: result?.traceback ?? "" };
      });
    },
    malformed(reason, delivery) {
      metrics.malformed();
      log.warn({ queue: delivery.queue, exchange: delivery.exchange, routingKey: delivery.routingKey, reason }, "a message is no task");
    },
  };
}
