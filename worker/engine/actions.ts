import type { Leases } from "../leases/leases.ts";
import type { Clock } from "../ports.ts";
import { celeryError } from "../protocol/celery-errors.ts";
import type { ControlAction } from "../protocol/control/control-snapshot.ts";
import { encodeResult, resultKey } from "../protocol/result.ts";
import type { TaskMessage } from "../protocol/task-message.ts";
import type { TaskLog } from "../tasks/define-task.ts";
import type { Intake } from "./consumer.ts";
import type { Events } from "./events.ts";
import type { Executor } from "./executor.ts";
import { TaskRevoked } from "./failure.ts";
import { isStamped, type Revoked } from "./revoked.ts";
import type { Scheduled } from "./scheduled.ts";
import type { TaskSettings } from "./task-settings.ts";

export interface ActionDeps {
  readonly intake: Intake;
  readonly executor: Executor;
  readonly events: Events;
  readonly revoked: Revoked;
  readonly scheduled: Scheduled;
  readonly leases: Pick<Leases, "revoke">;
  readonly settings: TaskSettings;
  readonly clock: Clock;
  readonly log: TaskLog;
  readonly onShutdown: () => void;
}

/** How long the answer waits for a queue to be consumed, ms. */
const ADD_WAIT_MS = 800;

/** Consumes a queue from now on. The answer does not wait for a queue that may never exist, and says so. */
async function addConsumer(queue: string, { intake, clock, log }: ActionDeps): Promise<string | undefined> {
  const added = intake.add(queue).catch((error: unknown) => log.error({ err: error, queue }, "cannot consume"));
  await Promise.race([added, new Promise<void>((resolve) => void clock.setTimeout(resolve, ADD_WAIT_MS))]);
  if (intake.consuming.includes(queue)) return undefined;
  return `queue '${queue}' cannot be consumed yet: it is missing or refused; it will be as soon as it is there`;
}

/** From now on these never start here. Whoever waits for one that no worker has started is told at once. */
async function revokeIds(ids: readonly string[], { executor, revoked, scheduled, leases, clock }: ActionDeps): Promise<void> {
  const now = clock.now();
  revoked.add(ids, now);
  const active = new Set([...executor.running].map(({ task }) => task?.id));
  const error = celeryError("TaskRevokedError", "revoked");
  for (const id of ids) {
    if (active.has(id)) continue;
    scheduled.drop(id);
    await leases.revoke(resultKey(id), encodeResult({ id, state: "REVOKED", error, dateDone: now }));
  }
}

/** Carries out what remote control asked for. Returns why it could not, as an answer for whoever asked. */
export async function applyAction(action: ControlAction, deps: ActionDeps): Promise<string | undefined> {
  const { intake, executor, events, revoked, settings, clock, log } = deps;
  const terminate = (wanted: (task: TaskMessage) => boolean): void => {
    for (const { task, control } of executor.running) {
      if (task !== undefined && wanted(task)) control.abort(new TaskRevoked("terminated"));
    }
  };
  switch (action.do) {
    case "cancel-consumer":
      log.info({ queue: action.queue }, "cordoned by remote control");
      await intake.cancel(action.queue);
      break;
    case "add-consumer":
      log.info({ queue: action.queue }, "consumes by remote control");
      return await addConsumer(action.queue, deps);
    case "revoke":
      await revokeIds(action.ids, deps);
      if (action.terminate) terminate((task) => action.ids.includes(task.id));
      break;
    case "revoke-stamped":
      revoked.addStamps(action.headers, clock.now());
      if (action.terminate) terminate((task) => isStamped(task, action.headers));
      break;
    case "merge-revoked":
      revoked.add(action.ids, clock.now());
      break;
    case "events":
      events.enabled = action.enabled;
      break;
    case "heartbeat":
      events.beat();
      break;
    case "grow":
      executor.slots = Math.max(1, executor.slots + action.by);
      await intake.resize();
      break;
    case "shutdown":
      deps.onShutdown();
      break;
    case "rate-limit":
      settings.setRate(action.task, action.perSecond, action.text);
      break;
    case "time-limit": {
      const { task, soft, hard } = action;
      settings.setLimits(task, { ...(soft === undefined ? {} : { soft }), ...(hard === undefined ? {} : { hard }) });
      break;
    }
  }
  return undefined;
}
