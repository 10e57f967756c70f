import { hostname } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { decodeDelivery } from "../engine/decode.ts";
import { openSending } from "../engine/sending.ts";
import { encodeJson } from "../protocol/json/json.ts";
import { builtinTasks } from "../tasks/builtin.ts";
import { commitIn } from "../tasks/commit-in.ts";
import type { Task, TaskContext, TaskLog } from "../tasks/define-task.ts";
import { loadTasks } from "../tasks/load.ts";
import { requestOf } from "../tasks/task-request.ts";
import { inTrace } from "../tracing.ts";
import { packThrown, unpackThrown } from "./thrown.ts";
import type { Ask, FromChild, ToChild } from "./wire.ts";

/** The program of a pool's thread or process: runs one task at a time for its supervisor, which holds the lease and stores the result. */
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a window's, not a thread's
const say = (message: FromChild): void => void (parentPort === null ? process.send?.(message) : parentPort.postMessage(message));
const folder = parentPort === null ? (process.argv[2] ?? "") : (workerData as { folder: string }).folder;
const tasks = new Map<string, Task>();
const asked = new Map<number, PromiseWithResolvers<void>>();
let running: { readonly id: number; readonly control: AbortController } | undefined;
let serial = 0;

/** Tells the supervisor; resolves when it has done it. */
function ask(id: number, what: Ask): Promise<void> {
  serial += 1;
  const answer = Promise.withResolvers<void>();
  asked.set(serial, answer);
  say({ did: "ask", id, ask: serial, what });
  return answer.promise;
}

/** For what cannot fail there: the same was checked here. */
const tell = (id: number, what: Ask): void => void ask(id, what).catch(() => {});

function contextOf(order: Extract<ToChild, { do: "run" }>, task: Parameters<typeof openSending>[0], signal: AbortSignal): TaskContext {
  const { id } = order;
  const { context } = openSending(task);
  const log = (level: keyof TaskLog) => (fields: object, sentence: string) =>
    tell(id, { call: "log", level, fields: { ...fields }, sentence });
  return {
    taskId: task.id,
    request: requestOf(task, { ...order.request.deliveryInfo, properties: order.message.properties }, order.request.timeLimit),
    retries: task.retries,
    redelivered: order.redelivered,
    signal,
    fence: order.fence,
    log: { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") },
    async effect() {
      signal.throwIfAborted();
      await ask(id, { call: "effect" });
    },
    commitIn: (transaction, value = null) => commitIn(order.key, order.fence, transaction, value),
    progress: (details) => ask(id, { call: "progress", details: encodeJson(details) }),
    replace: context.replace,
    send(signature, args = []) {
      const made = context.send(signature, args);
      tell(id, { call: "send", signature: encodeJson(signature), args: encodeJson(args) });
      return made;
    },
    addToChord(signature) {
      const made = context.addToChord(signature);
      tell(id, { call: "addToChord", signature: encodeJson(signature) });
      return made;
    },
    failInstead(signature, error) {
      tell(id, { call: "failInstead", signature: encodeJson(signature), error: encodeJson({ ...error }) });
    },
  };
}

async function run(order: Extract<ToChild, { do: "run" }>): Promise<void> {
  const { id } = order;
  const control = new AbortController();
  running = { id, control };
  const task = tasks.get(order.task);
  try {
    const decoded = decodeDelivery(order.message);
    if (task === undefined || decoded.kind !== "task") throw new Error(`task "${order.task}" is not known to ${hostname()}`);
    const bound = task.bind(decoded.task.args, decoded.task.kwargs);
    if ("problem" in bound) throw new TypeError(bound.problem);
    const context = contextOf(order, decoded.task, control.signal);
    const value = await inTrace(decoded.task.headers, () => task.run(bound.input, context));
    say({ did: "return", id, value: encodeJson(value ?? null) });
  } catch (error) {
    const retries = (thrown: unknown): boolean => task?.autoretryFor?.some((type) => thrown instanceof type) === true;
    say({ did: "throw", id, thrown: packThrown(error, control.signal.aborted ? control.signal.reason : undefined, retries) });
  }
}

function obey(order: ToChild): void {
  if (order.do === "run") return void run(order);
  if (order.do === "abort") return order.id === running?.id ? running.control.abort(unpackThrown(order.reason)) : undefined;
  const answer = asked.get(order.ask);
  asked.delete(order.ask);
  if (order.error === undefined) answer?.resolve();
  else answer?.reject(new Error(order.error));
}

if (parentPort === null) {
  process.on("message", (message) => obey(message as ToChild));
  // The supervisor has gone: nobody would take the result.
  process.on("disconnect", () => process.exit(0));
  // It is the supervisor who decides when to end.
  for (const signal of ["SIGTERM", "SIGINT", "SIGQUIT"] as const) process.on(signal, () => {});
} else parentPort.on("message", obey);

try {
  const results = (): Promise<never> => Promise.reject(new Error("only the supervisor reads results"));
  for (const task of builtinTasks({ find: (name) => tasks.get(name), results })) tasks.set(task.name, task);
  for (const [name, task] of (await loadTasks(folder)).tasks) tasks.set(name, task);
  say({ did: "ready" });
} catch (error) {
  say({ did: "broken", error: error instanceof Error ? error.message : String(error) });
}
