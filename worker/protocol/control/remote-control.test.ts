import { expect, test } from "vitest";
import { asMessage, type MessageVector, readVectors } from "../../../test/vectors/load.ts";
import { isMap } from "../json/is-value.ts";
import { decodeJson } from "../json/json.ts";
import type { Value } from "../json/value.ts";
import type { TaskMessage } from "../task-message.ts";
import { answerControl } from "./control-commands.ts";
import type { HeldTask, WorkerSnapshot } from "./control-snapshot.ts";
import { decodeControl, encodeReply } from "./remote-control.ts";

interface Row {
  readonly name: string;
  readonly requests: readonly MessageVector[];
  readonly replies: readonly MessageVector[];
}
const rows = readVectors<Row>("pidbox").filter(({ replies }) => replies.length === 1);
const HOST = "vector@host";

function replyOf(row: Row): Value {
  const body = row.replies[0] === undefined ? null : decodeJson(asMessage(row.replies[0]).body);
  return isMap(body) ? (body[HOST] ?? null) : null;
}

function requestOf(row: Row) {
  const [vector] = row.requests;
  const request = vector === undefined ? undefined : decodeControl(asMessage(vector), HOST);
  if (request?.kind !== "request") throw new Error(`no request in ${row.name}`);
  return request;
}

const NAMES = ["add", "echo", "sleep"].map((name) => ({ name: `celery_app.${name}` }));
const idle: WorkerSnapshot = {
  hostname: HOST,
  pid: 1,
  clock: 9,
  uptimeSeconds: 40.2,
  active: [],
  reserved: [],
  scheduled: [],
  revoked: ["r1"],
  tasks: [...NAMES, { name: "celery.map" }],
  queues: [{ name: "work", routingKey: "work", exchange: { name: "media", type: "topic" } }],
  totals: { "celery_app.add": 2 },
  eventsEnabled: true,
  prefetch: 4,
  pool: { implementation: "longshore:async", concurrency: 2, processes: [1] },
  broker: { hostname: "127.0.0.1", port: 5672, userid: "guest", virtualHost: "/", ssl: false },
  usage: { userCPUTime: 1_500_000, systemCPUTime: 0, maxRSS: 60_000 },
  conf: { broker_url: "amqp://guest:********@h//" },
  software: "longshore 0.1.0",
};

test.for(rows)("encodes the reply to $name of $version byte for byte", (row) => {
  const request = requestOf(row);
  const [reply] = row.replies;
  if (reply === undefined) throw new Error("no reply");
  const body = decodeJson(asMessage(reply).body, { exactFloats: true });
  const encoded = encodeReply(request, HOST, isMap(body) ? body[HOST] : null, Number(reply.headers["clock"]));
  expect(encoded).toMatchObject({ exchange: reply.exchange, routingKey: reply.routingKey, properties: asMessage(reply).properties });
  expect(encoded?.body.toString()).toBe(asMessage(reply).body.toString());
});

/** Replies that do not depend on what the recorded worker was doing. */
const SAME = [
  "ping",
  "enable_events",
  "heartbeat",
  "no_such",
  "revoke",
  "revoke several",
  "revoke by stamp",
  "rate limit",
  "rate limit off",
  "rate limit of no task",
  "rate limit wrong",
  "time limit",
  "missing argument",
  "pool_grow",
  "pool_shrink",
  "pool_restart",
  "autoscale",
  "add_consumer",
  "cancel_consumer",
  "hello to itself",
  "active_queues",
];
test.for(rows.filter(({ name, version }) => SAME.includes(name) && version === "5.6.3"))("answers $name with Celery's words", (row) => {
  expect(answerControl(requestOf(row), idle).reply).toEqual(replyOf(row));
});

/** The keys of a value, in order, and of what is in it. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shape);
  if (typeof value !== "object" || value === null) return "";
  return Object.entries(value).map(([name, inner]) => [name, shape(inner)]);
}

test("the shape of stats is Celery's, field by field", () => {
  const row = rows.find(({ name, version }) => name === "stats" && version === "5.6.3");
  const recorded = row === undefined ? null : replyOf(row);
  const ours = answerControl({ method: "stats", arguments: {} }, idle).reply;
  const withoutTasks = (stats: unknown): unknown => shape({ ...Object(stats), total: {} });
  expect(withoutTasks(ours)).toEqual(withoutTasks(recorded));
});

const held = (id: string, startedAt?: number): HeldTask => ({
  task: {
    id,
    name: "celery_app.sleep",
    args: [2],
    kwargs: {},
    argsRepr: "(2.0,)",
    kwargsRepr: "{}",
    priority: 1,
    eta: new Date(0),
    headers: {},
  } as unknown as TaskMessage,
  exchange: "media",
  routingKey: "work",
  redelivered: false,
  acknowledged: startedAt !== undefined,
  ...(startedAt === undefined ? {} : { startedAt, workerPid: 7 }),
});
const busy: WorkerSnapshot = { ...idle, active: [held("run", 12.5)], reserved: [held("wait")], scheduled: [held("later")] };
const ask = (method: string, args: Record<string, Value> = {}, worker = busy) => answerControl({ method, arguments: args }, worker);

test("shows what it runs, holds and was told to forget", () => {
  const info = {
    id: "run",
    name: "celery_app.sleep",
    args: [2],
    kwargs: {},
    type: "celery_app.sleep",
    hostname: HOST,
    time_start: 12.5,
    acknowledged: true,
    delivery_info: { exchange: "media", routing_key: "work", priority: 1, redelivered: false },
    worker_pid: 7,
  };
  expect(ask("active").reply).toEqual([info]);
  expect(ask("dump_active", { safe: true }).reply).toEqual([{ ...info, args: "(2.0,)", kwargs: "{}" }]);
  expect(ask("reserved").reply).toMatchObject([{ id: "wait", time_start: null, worker_pid: null }]);
  expect(ask("scheduled").reply).toMatchObject([{ eta: "1970-01-01T00:00:00+00:00", priority: 6, request: { id: "later" } }]);
  expect(ask("query_task", { ids: ["run", "wait", "none"] }).reply).toMatchObject({
    run: ["active", { id: "run" }],
    wait: ["reserved", { id: "wait" }],
  });
  expect(ask("revoked").reply).toEqual(["r1"]);
  expect(ask("registered").reply).toEqual(["celery_app.add", "celery_app.echo", "celery_app.sleep"]);
  expect(ask("registered", { taskinfoitems: ["name"], builtins: true }).reply).toContain("celery.map [name=celery.map]");
  expect(ask("clock").reply).toEqual({ clock: 9 });
});

test("says what has to be done", () => {
  expect(ask("revoke", { task_id: ["run", "x"], terminate: true, signal: "KILL" })).toEqual({
    reply: { ok: "terminate: run" },
    actions: [{ do: "revoke", ids: ["run", "x"], terminate: true, signal: "SIGKILL" }],
  });
  expect(ask("terminate", { signal: "SIGTERM", task_id: "run" }).actions).toMatchObject([{ terminate: true }]);
  // Flower sends 1 for true.
  expect(ask("revoke", { task_id: "run", terminate: 1 }).actions).toMatchObject([{ terminate: true }]);
  expect(ask("revoke", { task_id: "run", terminate: 0 }).actions).toMatchObject([{ terminate: false }]);
  expect(ask("revoke_by_stamped_headers", { headers: ["a=b"] }).actions).toMatchObject([{ headers: { a: ["b"] } }]);
  expect(ask("rate_limit", { task_name: "celery_app.add", rate_limit: "30/m" }).actions).toEqual([
    { do: "rate-limit", task: "celery_app.add", perSecond: 0.5, text: "30/m" },
  ]);
  expect(ask("disable_events").actions).toEqual([{ do: "events", enabled: false }]);
  expect(ask("enable_events").actions).toEqual([]);
  expect(ask("hello", { from_node: "other@host", revoked: { a: [1, "a"] } })).toEqual({
    reply: { revoked: ["r1"], clock: 9 },
    actions: [{ do: "merge-revoked", ids: ["a"] }],
  });
  expect(ask("add_consumer", { queue: "q", exchange: "e", exchange_type: "topic", routing_key: "k" }).actions).toEqual([
    { do: "add-consumer", queue: "q", exchange: "e", exchangeType: "topic", routingKey: "k" },
  ]);
  expect(ask("cancel_consumer", { queue: "q" }).actions).toEqual([{ do: "cancel-consumer", queue: "q" }]);
  expect(ask("shutdown").actions).toEqual([{ do: "shutdown" }]);
  expect(ask("pool_shrink", { n: 2 }).actions).toEqual([{ do: "grow", by: -2 }]);
  expect(ask("constructor").reply).toEqual({ error: "KeyError('constructor')" });
});

const request = (body: unknown, headers = {}) =>
  decodeControl({ properties: { headers }, body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)) }, HOST);
const asked: readonly [why: string, body: unknown, kind: string][] = [
  ["to all", { method: "ping" }, "request"],
  ["to it", { method: "ping", destination: [HOST] }, "request"],
  ["to another", { method: "ping", destination: ["x@y"] }, "ignored"],
  ["by a glob that fits", { method: "ping", pattern: "vec*@h?s[t-z]", matcher: "glob" }, "request"],
  ["by a glob that does not", { method: "ping", pattern: "*@[!h]ost", matcher: "glob" }, "ignored"],
  ["by a glob with dots", { method: "ping", pattern: "vector.host", matcher: "glob" }, "ignored"],
  ["by an expression", { method: "ping", pattern: "v.c", matcher: "pcre" }, "request"],
  ["by a broken expression", { method: "ping", pattern: "(", matcher: "pcre" }, "ignored"],
  ["without a method", { arguments: {} }, "ignored"],
  ["with a list of arguments", { method: "ping", arguments: [1] }, "ignored"],
  ["with a number", 5, "ignored"],
  ["with no JSON", "{", "ignored"],
  ["with far too much", { method: "ping", arguments: { x: "y".repeat(2_000_000) } }, "ignored"],
  ["far too deep", "[".repeat(10_000), "ignored"],
];
test.for(asked)("a request %s is for this worker, or is not, and never thrown", ([, body, kind]) => expect(request(body).kind).toBe(kind));

test("nobody waits: nothing is answered", () => {
  const cast = request({ method: "shutdown" }, { clock: 5 });
  expect(cast).toMatchObject({ clock: 5 });
  expect(cast.kind === "request" ? encodeReply(cast, HOST, null, 1) : "ignored").toBeUndefined();
});
