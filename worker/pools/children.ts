import type { Signature } from "../protocol/canvas/signature.ts";
import type { PyException } from "../protocol/exception.ts";
import { decodeJson } from "../protocol/json/json.ts";
import type { Value, ValueMap } from "../protocol/json/value.ts";
import type { Task, TaskContext } from "../tasks/define-task.ts";
import type { Child, ChildOptions } from "./child.ts";
import { type Call, ChildLost, type Pool } from "./pool.ts";
import { packThrown, unpackThrown } from "./thrown.ts";
import type { Ask, FromChild } from "./wire.ts";

export interface ChildrenOptions {
  readonly name: string;
  readonly open: (options: ChildOptions) => Child;
  readonly folder: string;
  /** After so many tasks a child is replaced by a fresh one. */
  readonly maxTasks?: number;
  readonly maxMemoryMb?: number;
}

interface Job {
  readonly context: TaskContext;
  readonly done: PromiseWithResolvers<unknown>;
  /** What its context threw, which is not the same error any more when the child throws it. */
  refused?: unknown;
}

interface Slot {
  readonly child: Child;
  readonly ready: Promise<void>;
  job: { readonly id: number; readonly work: Job } | undefined;
  tasks: number;
}

/** Tasks that Celery itself defines send messages and wait for nothing; only `map` and `starmap` call tasks of the user's. */
const runsHere = ({ name, runsIn }: Task): boolean =>
  runsIn === "supervisor" || (name.startsWith("celery.") && name !== "celery.map" && name !== "celery.starmap");

const json = <T>(text: string): T => decodeJson(text, { exactFloats: true }) as unknown as T;

/** Does on the real context what a task asked of its own. The call that can fail is awaited; the others cannot. */
async function replay(what: Ask, context: TaskContext): Promise<void> {
  switch (what.call) {
    case "effect":
      return await context.effect();
    case "progress":
      return await context.progress(json<ValueMap>(what.details));
    case "log":
      return context.log[what.level](what.fields, what.sentence);
    case "send":
      return void context.send(json<Signature>(what.signature), json<readonly Value[]>(what.args));
    case "addToChord":
      return void context.addToChord(json<Signature>(what.signature));
    case "failInstead":
      return context.failInstead(json<Signature>(what.signature), json<PyException>(what.error));
  }
}

/**
 * Each slot a thread or a process, made when first needed. Leases, heartbeats, remote control and limits stay with the supervisor, so a
 * task that blocks its own event loop harms only itself, and a hard limit ends it. A child that dies rejects its task alone.
 */
export function childrenPool(options: ChildrenOptions): Pool {
  const slots = new Set<Slot>();
  const idle: Slot[] = [];
  let serial = 0;
  let closed = false;

  const open = (): Slot => {
    const ready = Promise.withResolvers<void>();
    // Nobody may be waiting for it yet.
    ready.promise.catch(() => {});
    const onMessage = (message: FromChild): void => {
      if (message.did === "ready") return ready.resolve();
      if (message.did === "broken") return ready.reject(new ChildLost(message.error));
      const job = slot.job;
      if (job === undefined || job.id !== message.id) return;
      const { context, done } = job.work;
      if (message.did === "return") return done.resolve(decodeJson(message.value));
      if (message.did === "throw") return done.reject(job.work.refused ?? unpackThrown(message.thrown, context.signal.reason));
      const { id, ask } = message;
      replay(message.what, context).then(
        () => slot.child.post({ do: "answer", id, ask }),
        (error: unknown) => {
          job.work.refused = error;
          slot.child.post({ do: "answer", id, ask, error: error instanceof Error ? error.message : String(error) });
        },
      );
    };
    const onExit = (why: string): void => {
      slots.delete(slot);
      const at = idle.indexOf(slot);
      if (at >= 0) idle.splice(at, 1);
      const lost = new ChildLost(why);
      ready.reject(lost);
      slot.job?.work.done.reject(lost);
    };
    const memory = options.maxMemoryMb === undefined ? {} : { maxMemoryMb: options.maxMemoryMb };
    const child = options.open({ folder: options.folder, onMessage, onExit, ...memory });
    const slot: Slot = { child, ready: ready.promise, job: undefined, tasks: 0 };
    slots.add(slot);
    return slot;
  };

  const giveBack = (slot: Slot): void => {
    slot.job = undefined;
    if (!slots.has(slot) || closed) return;
    const worn = options.maxTasks !== undefined && slot.tasks >= options.maxTasks;
    if (!worn) return void idle.push(slot);
    // Its successor starts now, so that no task waits for it while other slots work.
    idle.unshift(open());
    void slot.child.kill();
  };

  const runIn = async (slot: Slot, task: Task, context: TaskContext, { message, key, kill: { signal: kill } }: Call): Promise<unknown> => {
    await slot.ready;
    const id = (serial += 1);
    const work: Job = { context, done: Promise.withResolvers() };
    slot.job = { id, work };
    slot.tasks += 1;
    const onAbort = (): void => slot.child.post({ do: "abort", id, reason: packThrown(context.signal.reason) });
    const onKill = (): void => void slot.child.kill();
    context.signal.addEventListener("abort", onAbort, { once: true });
    kill.addEventListener("abort", onKill, { once: true });
    try {
      // amqplib's bodies are slices of a larger buffer, of which only their own part shall travel.
      const own = { properties: message.properties, body: new Uint8Array(message.body) };
      const { redelivered, fence, request } = context;
      const { deliveryInfo, timeLimit } = request;
      slot.child.post({ do: "run", id, task: task.name, message: own, redelivered, fence, key, request: { deliveryInfo, timeLimit } });
      if (context.signal.aborted) onAbort();
      if (kill.aborted) onKill();
      return await work.done.promise;
    } finally {
      context.signal.removeEventListener("abort", onAbort);
      kill.removeEventListener("abort", onKill);
    }
  };

  idle.push(open());
  return {
    name: options.name,
    get pids() {
      return [...new Set([...slots].map(({ child }) => child.pid))];
    },
    async run(task, input, context, call) {
      if (runsHere(task)) return await task.run(input, context);
      const slot = idle.pop() ?? open();
      try {
        return await runIn(slot, task, context, call);
      } finally {
        giveBack(slot);
      }
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      await Promise.all([...slots].map(({ child }) => child.kill()));
    },
  };
}
