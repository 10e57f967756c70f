import type { Chords } from "../chords/chords.ts";
import type { GlobalRates } from "../leases/global-rates.ts";
import type { Keeper } from "../leases/keeper.ts";
import type { Begun, Lease, Leases } from "../leases/leases.ts";
import type { BrokerPort, Delivery } from "../ports.ts";
import { celeryError } from "../protocol/celery-errors.ts";
import { encodeException, type PyException } from "../protocol/exception.ts";
import { decodeResult, encodeResult, resultKey, type TaskResult } from "../protocol/result.ts";
import type { Decoded, TaskMessage } from "../protocol/task-message.ts";
import type { Task } from "../tasks/define-task.ts";
import { type TraceHeaders, traced } from "../tracing.ts";
import { type AckDefaults, ackedNow, acksLate } from "./acks.ts";
import { admit } from "./admit.ts";
import { carryOut } from "./carry-out.ts";
import { type BuryDeps, bury } from "./dead-letter.ts";
import { decodeDelivery } from "./decode.ts";
import { effectUnknown } from "./failure.ts";
import { finish } from "./finish.ts";
import { followUps } from "./follow-ups.ts";
import { globalRateWait } from "./global-rate-wait.ts";
import { workKey } from "./key.ts";
import { decodeOutbox, publishAll } from "./outbox.ts";
import type { Outcome } from "./outcome.ts";
import { rateWait } from "./rate-wait.ts";
import { replyWith } from "./reply.ts";
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

/**
 * Takes one delivery to its end: decode, admit, lease, run, settle. The delivery is settled exactly once, unless the store or the
 * broker refuses for good: then it throws, and the delivery stays unacked until the broker hands it out again.
 */
export async function attempt(running: Running, deps: AttemptDeps): Promise<void> {
  const { delivery } = running;
  const decoded = decodeDelivery(delivery);
  if (decoded.kind === "malformed") return await refuse(delivery, decoded, deps);
  const { task } = decoded;
  running.task = task;
  deps.observer.received(task);
  deps.scheduled.drop(task.id);
  const end = (outcome: Outcome, more: { drop?: boolean } = {}): Promise<void> => finish({ running, task, outcome, ...more }, deps);

  const definition = deps.tasks.get(task.name);
  if (definition === undefined) return await end(failure(celeryError("NotRegistered", task.name)), { drop: true });
  const admission = admit(task, deps.clock.now(), deps.isRevoked);
  if (admission.kind === "revoked") return await end({ kind: "revoked", reason: admission.reason });
  if (admission.kind === "wait") {
    deps.scheduled.add(task, delivery);
    return await park(running, parked(task, delivery, admission.ms), deps);
  }
  const early = rateWait(task, deps.settings, deps.clock.now());
  if (early !== undefined) return await park(running, parked(task, delivery, early.ms, early.headers), deps);
  const bound = definition.bind(task.args, task.kwargs);
  if ("problem" in bound) return await end(failure({ exc_type: "TypeError", exc_message: [bound.problem], exc_module: "builtins" }));
  const limited = definition.globalRateLimit !== undefined;
  const shared = limited ? await globalRateWait(definition, task, bound.input, deps.globalRates) : undefined;
  if (shared !== undefined) return await park(running, parked(task, delivery, shared.ms, shared.headers), deps);

  const { mode } = definition;
  if (mode === "none") return await run(running, { task, definition, input: bound.input }, deps);
  let begun: Begun;
  try {
    const work = workKey(definition, task, bound.input);
    begun = await deps.leases.begin({ ...work, owner: deps.nextOwner(), mode, attempt: task.retries, taskId: task.id });
  } catch (error) {
    if (error instanceof Error && error.message.startsWith("redis:")) throw error;
    return await end(failure(encodeException(error)));
  }
  deps.crashPoint?.("after-begin");
  switch (begun.kind) {
    case "busy":
      return await park(running, parkedBusy(task, delivery, begun.ms), deps);
    case "mismatch": {
      const text = `the idempotency key of task ${task.id} was used with other arguments by task ${begun.taskId}`;
      return await end(failure({ exc_type: "IdempotencyKeyMismatch", exc_message: [text], exc_module: "longshore" }));
    }
    case "stale":
      return await repeat(running, task, begun, undefined, deps);
    case "stored":
      return await repeat(running, task, begun, begun, deps);
    case "held":
      break;
  }
  using _held = deps.keeper.keep(begun.lease, (reason) => running.control.abort(reason));
  await run(running, { task, definition, input: bound.input, lease: begun.lease }, deps);
}

/** What a task gets that asked for no lease. */
const UNGUARDED: Lease = { key: "", fence: "0", how: "run" };

/** Runs and settles it; without a lease nothing but the broker knows that it runs. */
async function run(
  running: Running,
  { task, definition, input, lease }: { task: TaskMessage; definition: Task; input: unknown; lease?: Lease },
  deps: AttemptDeps,
): Promise<void> {
  const { delivery, control } = running;
  const held = lease === undefined ? {} : { lease };
  const deliveries = delivery.deliveryCount ?? 0;
  if (deps.deliveryLimit > 0 && deliveries >= deps.deliveryLimit) {
    const text = `came back ${deliveries} times: workers take it and never settle it; the limit is ${deps.deliveryLimit}`;
    const error = { exc_type: "DeliveryLimitExceeded", exc_message: [text], exc_module: "longshore" };
    return await finish({ running, task, outcome: failure(error), drop: true, ...held }, deps);
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
    const delivery = withTrace(given, carrier);
    return runTask(deps, { task, definition, input, delivery, lease: lease ?? UNGUARDED, control });
  });
  deps.crashPoint?.("after-run");
  await finish({ running, task, outcome, ignoreResult, ...held }, deps);
}

const failure = (error: PyException): Outcome => ({ kind: "failure", error });

/** Back to the broker for a while, then acknowledged here: nothing waits in this process. */
async function park({ delivery }: Running, later: Outgoing, deps: AttemptDeps): Promise<void> {
  await publishAll(deps.broker, [later], deps.clock, (error) => {
    throw error;
  });
  delivery.ack();
}

type Stored = Extract<Begun, { kind: "stored" }>;

/** The answer of work that has ended, for whoever asks again; then what that work still had to publish. */
async function repeat(
  running: Running,
  task: TaskMessage,
  record: { readonly key: string; readonly fence: string; readonly out: string },
  stored: Stored | undefined,
  deps: AttemptDeps,
): Promise<void> {
  const { queue } = running.delivery;
  const now = deps.clock.now();
  const result = stored === undefined ? undefined : storedResult(task, stored, now);
  if (result !== undefined) await answer(task.id, task.replyTo, result, deps);
  if (record.out !== "") {
    await carryOut(decodeOutbox(record.out), task, queue, deps);
    await deps.leases.clear(record.key, record.fence);
  }
  if (result !== undefined && stored?.taskId !== task.id) {
    // Another task's work under the same key: what follows this one is its own.
    const { error } = result;
    const outcome: Outcome = error === undefined ? { kind: "success", value: result.result } : { kind: "failure", error };
    await carryOut(followUps(task, outcome, queue, now, deps.tasks), task, queue, deps);
  }
  running.delivery.ack();
  deps.observer.ended(
    task,
    result === undefined ? undefined : result.state === "SUCCESS" ? "task-succeeded" : "task-failed",
    result,
    undefined,
  );
}

/** The first one's result under this task's id. Undefined when that work stored none. */
function storedResult(task: TaskMessage, stored: Stored, now: number): TaskResult | undefined {
  const own = { id: task.id, ...(task.group && { groupId: task.group }), ...(task.parentId && { parentId: task.parentId }) };
  if (stored.result === "" && stored.state === "UNKNOWN") return { ...own, state: "FAILURE", error: effectUnknown(task.id), dateDone: now };
  if (stored.result === "") return undefined;
  const first = decodeResult(stored.result);
  if (stored.taskId === task.id) return first;
  const { groupId: _group, parentId: _parent, ...rest } = first;
  return { ...rest, ...own };
}

/** A result outside any lease, where its client looks for it. */
async function answer(id: string, replyTo: string | undefined, result: TaskResult, deps: AttemptDeps): Promise<void> {
  const text = encodeResult(result);
  await deps.leases.store(resultKey(id), text);
  if (!deps.rpc || replyTo === undefined) return;
  await publishAll(deps.broker, [{ message: replyWith(replyTo, id, text) }], deps.clock, (error) =>
    deps.log.error({ err: error, taskId: id }, "an answer was refused"),
  );
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
