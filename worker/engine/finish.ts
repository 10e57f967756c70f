import type { Lease } from "../leases/leases.ts";
import { encodeException, exceptionRepr } from "../protocol/exception.ts";
import { encodeResult, resultKey } from "../protocol/result.ts";
import type { TaskMessage } from "../protocol/task-message.ts";
import { type TraceHeaders, traceOf } from "../tracing.ts";
import { acksFailure } from "./acks.ts";
import type { AttemptDeps, Running } from "./attempt.ts";
import { carryOut } from "./carry-out.ts";
import { bury, type Death } from "./dead-letter.ts";
import { type FollowUps, followUps } from "./follow-ups.ts";
import { encodeOutbox } from "./outbox.ts";
import type { Outcome } from "./outcome.ts";
import { replyWith } from "./reply.ts";
import { type Outgoing, type Settlement, settle } from "./settle.ts";
import { withTrace } from "./with-trace.ts";

export interface Finish {
  readonly running: Running;
  readonly task: TaskMessage;
  readonly outcome: Outcome;
  /** Absent when the task was refused before it asked for one. */
  readonly lease?: Lease | undefined;
  readonly ignoreResult?: boolean;
  /** A failure goes to the dead letters, whatever the task says. */
  readonly drop?: boolean;
}

interface Settled {
  readonly settlement: Settlement;
  readonly result: string;
  readonly follow: FollowUps;
}

/** A settlement and its result as text. A value that no message can carry turns the success into a failure that says so. */
function settled({ running, task, outcome, drop }: Finish, { rows, tasks, acks }: AttemptDeps, now: number): Settled {
  const { delivery, acknowledged = false } = running;
  const dropFailure = drop === true || !acksFailure(tasks.get(task.name) ?? {}, acks);
  const build = (how: Outcome): Settled => {
    const follow = followUps(task, how, delivery.queue, now, tasks);
    const { queue, properties } = delivery;
    const facts = { now, queue, properties, followUps: follow.out, children: follow.children, dropFailure, acknowledged };
    const plain = settle(task, how, facts);
    const settlement = plain.out.length === 0 ? plain : { ...plain, out: ofTrace(plain.out, running.trace ?? traceOf(task.headers)) };
    const { result } = settlement;
    return { settlement, follow, result: result === undefined ? "" : encodeResult(rows.extend(result, task, delivery)) };
  };
  try {
    return build(outcome);
  } catch (error) {
    return build({ kind: "failure", error: encodeException(error) });
  }
}

const ofTrace = (out: readonly Outgoing[], trace: TraceHeaders): readonly Outgoing[] =>
  out.map((sent) => ({ ...sent, message: withTrace(sent.message, trace, "unless there") }));

/** Why it is dead, for whoever reads the dead letters. */
function deathOf({ outcome }: Finish, { result }: Settlement): Death {
  const error = result?.error;
  if (error === undefined) return { reason: "rejected", error: "" };
  const reason = outcome.kind === "reject" ? "rejected" : (DEATHS[error.exc_type] ?? "failed");
  return { reason, error: outcome.kind === "reject" ? outcome.reason : exceptionRepr(error) };
}
const DEATHS: Readonly<Record<string, Death["reason"]>> = { NotRegistered: "not-registered", DeliveryLimitExceeded: "delivery-limit" };

/**
 * Carries a settlement out, in the only order that loses nothing at a crash: the lease and the result in one step, what follows
 * from the lease's record to the broker, then the ack. Throws only when the store refuses for good; the delivery stays unacked then.
 */
export async function finish(request: Finish, deps: AttemptDeps): Promise<void> {
  const { running, task, lease } = request;
  const { leases, clock } = deps;
  const runMs = running.startedAt === undefined ? undefined : clock.now() - running.startedAt;
  const { settlement, result, follow } = settled(request, deps, clock.now());
  const stored: { resultKey?: string } =
    request.ignoreResult === true && settlement.event === "task-succeeded" ? {} : { resultKey: resultKey(task.id) };
  const replies = deps.rpc && result !== "" && task.replyTo !== undefined;
  const out = replies ? [{ message: replyWith(task.replyTo, task.id, result) }, ...settlement.out] : settlement.out;
  const outbox = { out, steps: follow.steps };

  if (lease === undefined || settlement.lease === "none") {
    if (result !== "" && stored.resultKey !== undefined) await leases.store(resultKey(task.id), result);
    await carryOut(outbox, task, running.delivery.queue, deps);
  } else {
    const ending = { result, out: encodeOutbox(outbox), ...(result === "" ? {} : stored) };
    deps.crashPoint?.("before-commit");
    const mine =
      settlement.lease === "release"
        ? await leases.release(lease, ending, settlement.nextAttempt)
        : await leases[settlement.lease](lease, ending);
    deps.crashPoint?.("after-commit");
    if (!mine) return await finish({ running, task, outcome: { kind: "lost" } }, deps);
    if (ending.out !== "") {
      await carryOut(outbox, task, running.delivery.queue, deps);
      deps.crashPoint?.("after-publish");
      await leases.clear(lease.key, lease.fence);
    }
  }
  deps.crashPoint?.("before-ack");
  if (settlement.broker === "drop") await bury(running.delivery, deathOf(request, settlement), deps);
  else if (settlement.broker === "requeue") running.delivery.reject(true);
  else running.delivery.ack();
  deps.observer.ended(task, settlement.event, settlement.result, runMs);
}
