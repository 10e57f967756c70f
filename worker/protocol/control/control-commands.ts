import { isMap } from "../json/is-value.ts";
import type { ValueMap } from "../json/value.ts";
import { pyRepr, strRepr } from "../repr.ts";
import { asList, asTexts, ControlError, isTrue, parseRate, requireText } from "./control-arguments.ts";
import { queueInfo, scheduledInfo, statsInfo, taskInfo } from "./control-inspect.ts";
import type { ControlAction, RegisteredTask, WorkerSnapshot } from "./control-snapshot.ts";
import type { ControlRequest } from "./remote-control.ts";

export interface ControlAnswer {
  readonly reply: unknown;
  /** What to do now; empty for a question. Never set when the reply is an error. */
  readonly actions: readonly ControlAction[];
}

type Command = (worker: WorkerSnapshot, args: ValueMap) => ControlAnswer;

const say = (reply: unknown, ...actions: readonly ControlAction[]): ControlAnswer => ({ reply, actions });
const ok = (text: string, ...actions: readonly ControlAction[]): ControlAnswer => say({ ok: text }, ...actions);
const nok = (text: string): ControlAnswer => say({ error: text });

/** celery/worker/control.py, command by command: the texts are those that runbooks and Flower look for. */
const COMMANDS: Readonly<Record<string, Command>> = {
  ping: () => ok("pong"),
  clock: (worker) => say({ clock: worker.clock }),
  active: (worker, args) => say(worker.active.map((held) => taskInfo(held, worker.hostname, isTrue(args["safe"])))),
  reserved: (worker) => say(worker.reserved.map((held) => taskInfo(held, worker.hostname))),
  scheduled: (worker) => say(worker.scheduled.map((held) => scheduledInfo(held, worker.hostname))),
  revoked: (worker) => say(worker.revoked),
  registered: (worker, args) => say(registered(worker.tasks, asTexts(args["taskinfoitems"]), isTrue(args["builtins"]))),
  stats: (worker) => say(statsInfo(worker)),
  active_queues: (worker) => say(worker.queues.map(queueInfo)),
  conf: (worker) => say(worker.conf),
  report: (worker) => ok(report(worker)),
  query_task: (worker, args) => say(queryTask(worker, asTexts(args["ids"]))),
  hello: (worker, args) => hello(worker, args),
  memsample: (worker) => say(`${Math.round(worker.usage.maxRSS / 1_024)}MB`),
  memdump: (worker) => say(`- rss (sample): ${Math.round(worker.usage.maxRSS / 1_024)}MB\n`),
  objgraph: () => {
    throw new ControlError("ImportError", "Requires the objgraph library");
  },
  revoke: (worker, args) => revoke(worker, args, isTrue(args["terminate"])),
  terminate: (worker, args) => {
    requireText("terminate", args, ["signal"]);
    return revoke(worker, args, true);
  },
  revoke_by_stamped_headers: (_, args) => revokeStamped(args),
  rate_limit: (worker, args) => rateLimit(worker, args),
  time_limit: (worker, args) => timeLimit(worker, args),
  enable_events: (worker) =>
    worker.eventsEnabled ? ok("task events already enabled") : ok("task events enabled", { do: "events", enabled: true }),
  disable_events: (worker) =>
    worker.eventsEnabled ? ok("task events disabled", { do: "events", enabled: false }) : ok("task events already disabled"),
  heartbeat: () => say(null, { do: "heartbeat" }),
  pool_grow: (_, args) => ok("pool will grow", { do: "grow", by: amount(args) }),
  pool_shrink: (_, args) => ok("pool will shrink", { do: "grow", by: -amount(args) }),
  pool_restart: () => {
    throw new ControlError("ValueError", "Pool restarts not enabled");
  },
  autoscale: () => {
    throw new ControlError("ValueError", "Autoscale not enabled");
  },
  add_consumer: (_, args) => addConsumer(args),
  cancel_consumer: (_, args) => {
    const [queue = ""] = requireText("cancel_consumer", args, ["queue"]);
    return ok(`no longer consuming from ${queue}`, { do: "cancel-consumer", queue });
  },
  shutdown: () => say(null, { do: "shutdown" }),
  election: () => say(null),
};

const ALIASES: Readonly<Record<string, string>> = {
  dump_active: "active",
  dump_reserved: "reserved",
  dump_schedule: "scheduled",
  dump_revoked: "revoked",
  dump_tasks: "registered",
  dump_conf: "conf",
};

/** The answer to a remote control request, and what has to be done. Never throws: what is wrong is answered as Celery answers it. */
export function answerControl(request: Pick<ControlRequest, "method" | "arguments">, worker: WorkerSnapshot): ControlAnswer {
  const method = Object.hasOwn(ALIASES, request.method) ? (ALIASES[request.method] ?? "") : request.method;
  const command = Object.hasOwn(COMMANDS, method) ? COMMANDS[method] : undefined;
  if (command === undefined) return nok(`KeyError(${strRepr(request.method.slice(0, 100))})`);
  try {
    return command(worker, request.arguments);
  } catch (error) {
    if (error instanceof ControlError) return nok(error.message);
    throw error;
  }
}

function registered(tasks: readonly RegisteredTask[], items: readonly string[], builtins: boolean): readonly string[] {
  const shown = tasks.filter((task) => builtins || !task.name.startsWith("celery.")).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return shown.map((task) => {
    const known: Readonly<Record<string, unknown>> = { ...task.attributes, name: task.name, rate_limit: task.rateLimit };
    const wanted = items.length > 0 ? items : ["exchange", "routing_key", "rate_limit"];
    const fields = wanted
      .filter((item) => Object.hasOwn(known, item) && known[item] !== undefined)
      .map((item) => `${item}=${String(known[item])}`);
    return fields.length > 0 ? `${task.name} [${fields.join(" ")}]` : task.name;
  });
}

function queryTask(worker: WorkerSnapshot, ids: readonly string[]): Record<string, unknown> {
  const places = [
    ["active", worker.active],
    ["reserved", worker.reserved],
    ["scheduled", worker.scheduled],
  ] as const;
  const found: Record<string, unknown> = {};
  for (const [state, tasks] of places.toReversed()) {
    for (const held of tasks) if (ids.includes(held.task.id)) found[held.task.id] = [state, taskInfo(held, worker.hostname)];
  }
  return found;
}

/** 5.6 sends revoked ids as an object, 5.7 as a list; both read a list. */
function hello(worker: WorkerSnapshot, args: ValueMap): ControlAnswer {
  const [from] = requireText("hello", args, ["from_node"]);
  if (from === worker.hostname) return say(null);
  const revoked = args["revoked"];
  const ids = isMap(revoked) ? Object.keys(revoked) : asTexts(revoked);
  const reply = { revoked: worker.revoked, clock: worker.clock };
  return ids.length > 0 ? say(reply, { do: "merge-revoked", ids }) : say(reply);
}

function revoke(worker: WorkerSnapshot, args: ValueMap, terminate: boolean): ControlAnswer {
  if (args["task_id"] === undefined) requireText("revoke", args, ["task_id"]);
  const ids = [...new Set(asTexts(args["task_id"]))];
  const set = ids.length > 0 ? `{${ids.map(strRepr).join(", ")}}` : "set()";
  const action: ControlAction = { do: "revoke", ids, terminate, signal: signalOf(args) };
  if (!terminate) return ok(`tasks ${set} flagged as revoked`, action);
  const held = ids.filter((id) => [...worker.active, ...worker.reserved, ...worker.scheduled].some(({ task }) => task.id === id));
  return ok(`terminate: ${held.length > 0 ? held.join(", ") : "tasks unknown"}`, action);
}

function revokeStamped(args: ValueMap): ControlAnswer {
  const given = args["headers"];
  if (given === undefined) requireText("revoke_by_stamped_headers", args, ["headers"]);
  const pairs = isMap(given)
    ? Object.entries(given)
    : asTexts(given).map((text) => [text.split("=")[0] ?? "", text.split("=")[1] ?? ""] as const);
  const headers = Object.fromEntries(pairs.map(([name, stamps]) => [name, asList(stamps)]));
  const terminate = isTrue(args["terminate"]);
  const said = pyRepr(Object.fromEntries(pairs));
  return ok(`headers ${said} ${terminate ? "revoked" : "flagged as revoked, but not terminated"}`, {
    do: "revoke-stamped",
    headers,
    terminate,
    signal: signalOf(args),
  });
}

function rateLimit(worker: WorkerSnapshot, args: ValueMap): ControlAnswer {
  const missing = ["task_name", "rate_limit"].filter((name) => args[name] === undefined);
  if (missing.length > 0) requireText("rate_limit", args, missing);
  let perSecond: number;
  try {
    perSecond = parseRate(args["rate_limit"]);
  } catch (error) {
    if (error instanceof ControlError) return nok(`Invalid rate limit string: ${error.message}`);
    throw error;
  }
  const [task = ""] = requireText("rate_limit", args, ["task_name"]);
  if (!worker.tasks.some(({ name }) => name === task)) return nok("unknown task");
  const action: ControlAction = { do: "rate-limit", task, perSecond, text: String(args["rate_limit"] ?? "") };
  return ok(perSecond === 0 ? "rate limit disabled successfully" : "new rate limit set successfully", action);
}

function timeLimit(worker: WorkerSnapshot, { task_name: task, hard, soft }: ValueMap): ControlAnswer {
  if (typeof task !== "string" || !worker.tasks.some(({ name }) => name === task)) return nok("unknown task");
  return ok("time limits set successfully", {
    do: "time-limit",
    task,
    ...(typeof soft === "number" ? { soft } : {}),
    ...(typeof hard === "number" ? { hard } : {}),
  });
}

function addConsumer(args: ValueMap): ControlAnswer {
  const [queue = ""] = requireText("add_consumer", args, ["queue"]);
  const { exchange, exchange_type: exchangeType, routing_key: routingKey } = args;
  return ok(`add consumer ${queue}`, {
    do: "add-consumer",
    queue,
    exchangeType: typeof exchangeType === "string" ? exchangeType : "direct",
    ...(typeof exchange === "string" ? { exchange } : {}),
    ...(typeof routingKey === "string" ? { routingKey } : {}),
  });
}

function report(worker: WorkerSnapshot): string {
  const settings = Object.entries(worker.conf).map(([name, value]) => `${name}: ${pyRepr(value)}`);
  return `\nsoftware -> celery:5.7 (${worker.software})\nsettings -> transport:amqp\n\n${settings.join("\n")}\n`;
}

function amount({ n }: ValueMap): number {
  return typeof n === "number" && Number.isSafeInteger(n) && n > 0 ? n : 1;
}

function signalOf({ signal }: ValueMap): string {
  return typeof signal === "string" && signal !== "" ? (signal.startsWith("SIG") ? signal : `SIG${signal}`) : "SIGTERM";
}
