import type { Chords } from "../chords/chords.ts";
import type { GlobalRates } from "../leases/global-rates.ts";
import type { Keeper } from "../leases/keeper.ts";
import type { Begun, Lease, LeaseMode, Leases } from "../leases/leases.ts";
import type { BrokerPort, Delivery } from "../ports.ts";
import { celeryError } from "../protocol/celery-errors.ts";
import { encodeException, type PyException } from "../protocol/exception.ts";
import { resultKey, type TaskResult } from "../protocol/result.ts";
import type { Decoded, TaskMessage } from "../protocol/task-message.ts";
import type { Task } from "../tasks/define-task.ts";
import { type TraceHeaders, traced } from "../tracing.ts";
import { type AckDefaults, ackedNow, acksLate } from "./acks.ts";
import { admit } from "./admit.ts";
import { type BuryDeps, bury } from "./dead-letter.ts";
import { decodeDelivery } from "./decode.ts";
import { finish } from "./finish.ts";
import { globalRateWait } from "./global-rate-wait.ts";
import { workKey } from "./key.ts";
import { publishAll } from "./outbox.ts";
import type { Outcome } from "./outcome.ts";
import { rateWait } from "./rate-wait.ts";
import { answer, repeat } from "./repeat.ts";
import type { ResultRows } from "./result-rows.ts";
import { type RunDeps, runTask } from "./run-task.ts";
import type { Scheduled } from "./scheduled.ts";
import { type Outgoing, parked, parkedBusy } from "./settle.ts";
import type { Stopper } from "./stopper.ts";
import { withTrace } from "./with-trace.ts";

/** What happened to a task, for events and metrics; each is told once per attempt. */
export interface Observer {
  received(task: TaskMessage): void;
  started(task: TaskMessage): void;
  ended(task: TaskMessage, event: string | undefined, result: TaskResult | undefined, runMs: number | undefined): void;
  malformed(reason: string, delivery: Delivery): void;
}

export interface AttemptDeps extends RunDeps, Omit<BuryDeps, "log"> {
  readonly broker: BrokerPort;
  readonly acks: AckDefaults;
  readonly globalRates: GlobalRates;
  /** How often a message may come back before it is dead; 0 for no limit. */
  readonly deliveryLimit: number;
  readonly leases: Leases;
  readonly chords: Chords;
  /** Results go to the queues of their clients, too. */
  readonly rpc: boolean;
  readonly keeper: Keeper;
  readonly rows: ResultRows;
  readonly tasks: ReadonlyMap<string, Task>;
  readonly isRevoked: (task: TaskMessage) => boolean;
  readonly observer: Observer;
  readonly scheduled: Scheduled;
  /** Unique per process and delivery. */
  readonly nextOwner: () => string;
  /** Tests end the process here, by name of the step; in production it does nothing. */
  readonly crashPoint?: (step: string) => void;
}

/** A task in a slot: what remote control can list and stop. */
export interface Running {
  delivery: Delivery;
  task?: TaskMessage;
  startedAt?: number;
  readonly control: Stopper;
  /** What messages that it sends carry of its trace. */
  trace?: TraceHeaders;
  /** Before its end, as its task wants: from then on it is settled no more. */
  acknowledged?: boolean;
}

/** A task that may run now, and its input. */
interface Ready {
  readonly task: TaskMessage;
  readonly definition: Task;
  readonly input: unknown;
}

/**
 * Takes one delivery to its end: decode, admit, lease, run, settle. The delivery is settled exactly once, unless the store or the
 * broker refuses for good: then it throws, and the delivery stays unacked until the broker hands it out again.
 */
export async function attempt(running: Running, deps: AttemptDeps): Promise<void> {
  const ready = prepare(running, deps);
  if ("then" in ready) return await ready;
  const { definition } = ready;
  if (definition.globalRateLimit !== undefined) {
    const shared = await globalRateWait(definition, ready.task, ready.input, deps.globalRates);
    if (shared !== undefined) return await park(running, parked(ready.task, running.delivery, shared.ms, shared.headers), deps);
  }
  if (definition.mode === "none") return await run(running, ready, undefined, deps);
  const lease = await begin(running, ready, definition.mode, deps);
  if (lease === undefined) return;
  const held = deps.keeper.keep(lease, (reason) => running.control.abort(reason));
  try {
    await run(running, ready, lease, deps);
  } finally {
    held[Symbol.dispose]();
  }
}

/** All of an attempt that needs nobody else's answer. A promise when the task does not run now: that of its end. */
function prepare(running: Running, deps: AttemptDeps): Ready | Promise<void> {
  const { delivery } = running;
  const decoded = decodeDelivery(delivery);
  if (decoded.kind === "malformed") return refuse(delivery, decoded, deps);
  const { task } = decoded;
  running.task = task;
  deps.observer.received(task);
  deps.scheduled.drop(task.id);
  const definition = deps.tasks.get(task.name);
  if (definition === undefined) {
    return finish({ running, task, outcome: failure(celeryError("NotRegistered", task.name)), drop: true }, deps);
  }
  const now = deps.clock.now();
  const admission = admit(task, now, deps.isRevoked);
  if (admission.kind === "revoked") return finish({ running, task, outcome: { kind: "revoked", reason: admission.reason } }, deps);
  if (admission.kind === "wait") {
    deps.scheduled.add(task, delivery);
    return park(running, parked(task, delivery, admission.ms), deps);
  }
  const early = rateWait(task, deps.settings, now);
  if (early !== undefined) return park(running, parked(task, delivery, early.ms, early.headers), deps);
  const bound = definition.bind(task.args, task.kwargs);
  if ("input" in bound) return { task, definition, input: bound.input };
  return finish({ running, task, outcome: failure({ exc_type: "TypeError", exc_message: [bound.problem], exc_module: "builtins" }) }, deps);
}

/** Asks for the task's lease. Undefined when there is none to have: the delivery has come to its end then. */
async function begin(running: Running, ready: Ready, mode: LeaseMode, deps: AttemptDeps): Promise<Lease | undefined> {
  const { task, definition, input } = ready;
  let begun: Begun;
  try {
    const { key, fingerprint } = workKey(definition, task, input);
    begun = await deps.leases.begin({ key, fingerprint, owner: deps.nextOwner(), mode, attempt: task.retries, taskId: task.id });
  } catch (error) {
    if (error instanceof Error && error.message.startsWith("redis:")) throw error;
    await finish({ running, task, outcome: failure(encodeException(error)) }, deps);
    return undefined;
  }
  deps.crashPoint?.("after-begin");
  if (begun.kind === "held") return begun.lease;
  await taken(running, task, begun, deps);
  return undefined;
}

/** Somebody else has, or had, the lease. */
async function taken(running: Running, task: TaskMessage, begun: Exclude<Begun, { kind: "held" }>, deps: AttemptDeps): Promise<void> {
  switch (begun.kind) {
    case "busy":
      return await park(running, parkedBusy(task, running.delivery, begun.ms), deps);
    case "mismatch": {
      const text = `the idempotency key of task ${task.id} was used with other arguments by task ${begun.taskId}`;
      const error = { exc_type: "IdempotencyKeyMismatch", exc_message: [text], exc_module: "longshore" };
      return await finish({ running, task, outcome: failure(error) }, deps);
    }
    case "stale":
      return await repeat(running, task, begun, undefined, deps);
    case "stored":
      return await repeat(running, task, begun, begun, deps);
  }
}

/** What a task gets that asked for no lease. */
const UNGUARDED: Lease = { key: "", fence: "0", how: "run" };

/** Runs and settles it; without a lease nothing but the broker knows that it runs. */
async function run(running: Running, ready: Ready, lease: Lease | undefined, deps: AttemptDeps): Promise<void> {
  const { task, definition } = ready;
  const { delivery } = running;
  const deliveries = delivery.deliveryCount ?? 0;
  if (deps.deliveryLimit > 0 && deliveries >= deps.deliveryLimit) {
    const text = `came back ${deliveries} times: workers take it and never settle it; the limit is ${deps.deliveryLimit}`;
    const error = { exc_type: "DeliveryLimitExceeded", exc_message: [text], exc_module: "longshore" };
    return await finish({ running, task, outcome: failure(error), drop: true, lease }, deps);
  }
  running.startedAt = deps.clock.now();
  deps.observer.started(task);
  if (!acksLate(definition, deps.acks)) {
    running.delivery = ackedNow(delivery);
    running.acknowledged = true;
  }
  const ignoreResult = task.ignoreResult ?? definition.ignoreResult;
  if (deps.rows.started !== undefined && !ignoreResult) await deps.leases.store(resultKey(task.id), deps.rows.started(task, delivery));
  // Nobody hands it out again: to lose what runs it is a failure at once.
  const given = running.acknowledged === true ? { ...delivery, redelivered: true } : delivery;
  const outcome = await traced(task, given, (carrier) => {
    running.trace = carrier;
    const { control } = running;
    return runTask(deps, { ...ready, delivery: withTrace(given, carrier), lease: lease ?? UNGUARDED, control });
  });
  deps.crashPoint?.("after-run");
  await finish({ running, task, outcome, ignoreResult, lease }, deps);
}

const failure = (error: PyException): Outcome => ({ kind: "failure", error });

/** Back to the broker for a while, then acknowledged here: nothing waits in this process. */
async function park({ delivery }: Running, later: Outgoing, deps: AttemptDeps): Promise<void> {
  await publishAll(deps.broker, [later], deps.clock, (error) => {
    throw error;
  });
  delivery.ack();
}

/** A message that is no task: to the dead-letter exchange, and its sender is told when it can be. */
async function refuse(delivery: Delivery, malformed: Extract<Decoded, { kind: "malformed" }>, deps: AttemptDeps): Promise<void> {
  deps.observer.malformed(malformed.reason, delivery);
  const id = malformed.answer?.id;
  if (id !== undefined) {
    const name = malformed.code === "content-type" ? "ContentDisallowed" : malformed.code === "decode" ? "DecodeError" : "InvalidTaskError";
    const result = { id, state: "FAILURE", error: celeryError(name, malformed.reason), dateDone: deps.clock.now() };
    await answer(id, malformed.answer?.replyTo, result, deps);
  }
  await bury(delivery, { reason: "malformed", error: malformed.reason }, deps);
}
