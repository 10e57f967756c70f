import type { Clock } from "../ports.ts";
import type { ControlAction } from "../protocol/control-snapshot.ts";
import type { TaskLog } from "../tasks/define-task.ts";
import type { Intake } from "./consumer.ts";
import type { Events } from "./events.ts";
import type { Executor } from "./executor.ts";
import { TaskRevoked } from "./failure.ts";
import type { Revoked } from "./revoked.ts";

export interface ActionDeps {
  readonly intake: Intake;
  readonly executor: Executor;
  readonly events: Events;
  readonly revoked: Revoked;
  readonly clock: Clock;
  readonly log: TaskLog;
  readonly onShutdown: () => void;
}

/** Carries out what remote control asked for. What this worker cannot do yet is logged, not hidden. */
export async function applyAction(action: ControlAction, deps: ActionDeps): Promise<void> {
  const { intake, executor, events, revoked, clock, log } = deps;
  switch (action.do) {
    case "cancel-consumer":
      log.info({ queue: action.queue }, "cordoned by remote control");
      return await intake.cancel(action.queue);
    case "add-consumer":
      log.info({ queue: action.queue }, "consumes by remote control");
      // The answer does not wait for a queue that may never exist.
      return void intake.add(action.queue).catch((error: unknown) => log.error({ err: error, queue: action.queue }, "cannot consume"));
    case "revoke":
      revoked.add(action.ids, clock.now());
      if (!action.terminate) return;
      for (const { task, control } of executor.running) {
        if (task !== undefined && action.ids.includes(task.id)) control.abort(new TaskRevoked("terminated"));
      }
      return;
    case "merge-revoked":
      return revoked.add(action.ids, clock.now());
    case "events":
      events.enabled = action.enabled;
      return;
    case "heartbeat":
      return events.beat();
    case "grow":
      executor.slots = Math.max(1, executor.slots + action.by);
      return;
    case "shutdown":
      return deps.onShutdown();
    case "rate-limit":
    case "time-limit":
    case "revoke-stamped":
      log.warn({ action: action.do }, "remote control asked for what this worker cannot do yet");
      return;
  }
}
