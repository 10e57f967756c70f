import type { Chords } from "../chords/chords.ts";
import type { Leases } from "../leases/leases.ts";
import type { BrokerError, BrokerPort, Clock, Publication } from "../ports.ts";
import { chordBody, chordFailure } from "../protocol/canvas/canvas.ts";
import type { Joined } from "../protocol/canvas/chord.ts";
import { isSignature } from "../protocol/canvas/signature.ts";
import { decodeJson } from "../protocol/json/json.ts";
import { encodeResult, resultKey } from "../protocol/result.ts";
import type { TaskMessage } from "../protocol/task-message.ts";
import type { TaskLog } from "../tasks/define-task.ts";
import { traceOf } from "../tracing.ts";
import { canvasContext, type KnownTasks } from "./canvas-context.ts";
import { decodeDelivery } from "./decode.ts";
import { followUps, toFollowUps } from "./follow-ups.ts";
import { type Outbox, publishAll } from "./outbox.ts";
import { replyWith } from "./reply.ts";
import type { Outgoing, StoreStep } from "./settle.ts";
import { withTrace } from "./with-trace.ts";

export interface CarryDeps {
  readonly broker: BrokerPort;
  readonly leases: Leases;
  readonly chords: Chords;
  readonly tasks: KnownTasks;
  readonly clock: Clock;
  readonly log: TaskLog;
  /** Results go to the queues of their clients, too. */
  readonly rpc: boolean;
  /** Tests end the process here; in production it does nothing. */
  readonly crashPoint?: (step: string) => void;
}

type ChordPart = Extract<StoreStep, { step: "chord-part" }>;

/**
 * Does what follows a task: sizes of chords and failures first, then the messages, then its own parts of chords, the last of which
 * sends the chord's body. All of it may be repeated. A message that the broker refuses for good is answered with a failure in its
 * place, so that nobody waits for it. Throws only when the store refuses for good.
 */
export async function carryOut({ out, steps }: Outbox, task: TaskMessage, queue: string, deps: CarryDeps): Promise<void> {
  const { broker, leases, chords, clock, log } = deps;
  const parts: ChordPart[] = [];
  const replies: Outgoing[] = [];
  for (const step of steps) {
    switch (step.step) {
      case "chord-size":
        await chords.size(step.groupId, step.size);
        break;
      case "save-group":
        await chords.saveGroup(step.groupId, step.result);
        break;
      case "chord-add":
        await chords.add(step.groupId, step.taskId);
        break;
      case "store":
        await leases.store(resultKey(step.taskId), step.result);
        if (deps.rpc && task.replyTo !== undefined) replies.push({ message: replyWith(task.replyTo, step.taskId, step.result) });
        break;
      case "chord-part":
        parts.push(step);
        break;
    }
  }
  const refused: [BrokerError, Publication][] = [];
  await publishAll(broker, [...replies, ...out], clock, (error, message) => void refused.push([error, message]));
  for (const [error, message] of refused) {
    log.error({ err: error, taskId: task.id }, "a message was refused; its task is answered with a failure");
    await failInstead(message, error, queue, deps);
  }
  for (const part of parts) {
    const joined = await chords.part(part);
    if (joined === undefined) continue;
    deps.crashPoint?.("before-body");
    await sendBody(part, joined, task, queue, deps);
    deps.crashPoint?.("after-body");
    await chords.done(part.groupId, part.taskId, part.score, "error" in joined);
  }
}

/** The body of a chord whose parts are all there, or its failure. */
async function sendBody(
  { groupId, body: text }: ChordPart,
  joined: Joined,
  task: TaskMessage,
  queue: string,
  deps: CarryDeps,
): Promise<void> {
  const body = decodeJson(text, { exactFloats: true });
  if (!isSignature(body)) throw new TypeError(`the body of chord ${groupId} is no signature`);
  // Several workers may get here after crashes: ids must follow from the chord, not from the part that was last.
  const context = canvasContext(task, deps.tasks, groupId);
  const plan =
    "results" in joined ? chordBody(body, joined.results, context) : { steps: chordFailure(body, joined, context), children: [] };
  const follow = toFollowUps(plan, queue, deps.clock.now());
  const trace = traceOf(task.headers);
  const out = follow.out.map((sent) => ({ ...sent, message: withTrace(sent.message, trace, "unless there") }));
  await carryOut({ ...follow, out }, task, queue, deps);
}

/** A task whose message no queue will ever take has failed, and all that would have followed it. */
async function failInstead(message: Publication, error: BrokerError, queue: string, deps: CarryDeps): Promise<void> {
  const decoded = decodeDelivery(message);
  if (decoded.kind !== "task") return;
  const { task } = decoded;
  const reason = { exc_type: "OperationalError", exc_message: [error.message], exc_module: "kombu.exceptions" };
  const now = deps.clock.now();
  const of = { ...(task.group && { groupId: task.group }), ...(task.parentId && { parentId: task.parentId }) };
  const result = encodeResult({ id: task.id, state: "FAILURE", error: reason, dateDone: now, ...of });
  const follow = followUps(task, { kind: "failure", error: reason }, queue, now, deps.tasks);
  await carryOut({ out: follow.out, steps: [{ step: "store", taskId: task.id, result }, ...follow.steps] }, task, queue, deps);
}
