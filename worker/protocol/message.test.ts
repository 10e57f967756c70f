import { expect, test } from "vitest";
import { asMessage, type MessageVector, readVectors } from "../../test/vectors/load.ts";
import { asSignatures, isSignature } from "./canvas/signature.ts";
import { isList, isMap } from "./json/is-value.ts";
import { decodeJson } from "./json/json.ts";
import { decodeTask, encodeTask } from "./message.ts";

const recorded = [...readVectors<MessageVector>("messages"), ...readVectors<MessageVector>("published")];
const isPlainJson = (row: MessageVector): boolean =>
  row.properties["content_type"] === "application/json" && row.headers["compression"] === undefined;
const plain = recorded.filter(isPlainJson);
const protocol2 = plain.filter(({ headers }) => "task" in headers);

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

test.for(plain)("reads $name of $version", (row) => {
  const decoded = decodeTask(asMessage(row));
  expect(decoded.kind).toBe("task");
  if (decoded.kind !== "task") return;
  const { task } = decoded;
  expect(task.id).toBe(row.properties["correlation_id"]);
  expect(task.protocol).toBe("task" in row.headers ? 2 : 1);
  expect(task.name).toMatch(/^celery_app\.|^celery\.|^no\.such/);
});

test.for(protocol2)("writes $name of $version byte for byte", (row) => {
  const message = asMessage(row);
  const decoded = decodeTask(message);
  const body = decodeJson(message.body, { exactFloats: true });
  if (decoded.kind !== "task" || !isList(body) || !isMap(body[2]) || !isMap(body[1])) throw new Error("not a task");
  const { task } = decoded;
  const { callbacks, errbacks, chain, chord } = body[2];
  const headers = row.headers;
  const known = ["lang", "task", "id", "shadow", "eta", "expires", "group", "group_index", "retries", "timelimit", "root_id", "parent_id"];
  const rest = ["argsrepr", "kwargsrepr", "origin", "ignore_result", "replaced_task_nesting", "stamped_headers", "stamps"];
  const custom = Object.fromEntries(Object.entries(headers).filter(([name]) => ![...known, ...rest].includes(name)));
  const encoded = encodeTask({
    ...task,
    args: isList(body[0]) ? body[0] : [],
    kwargs: body[1],
    origin: task.origin ?? "",
    headers: custom,
    eta: text(headers["eta"]),
    expires: text(headers["expires"]),
    expirationMs: row.properties["expiration"] === undefined ? undefined : Number(row.properties["expiration"]),
    ignoreResult: task.ignoreResult ?? null,
    stampedHeaders: headers["stamped_headers"] === null ? undefined : task.stampedHeaders,
    callbacks: callbacks === null ? undefined : asSignatures(callbacks),
    errbacks: errbacks === null ? undefined : asSignatures(errbacks),
    chain: chain === null ? undefined : asSignatures(chain),
    chord: isSignature(chord) ? chord : undefined,
    argsRepr: row.name.startsWith("chord") || row.name.startsWith("chain") ? task.argsRepr : undefined,
  });
  expect(encoded.body.toString()).toBe(message.body.toString());
  expect(encoded.properties).toEqual(message.properties);
});

test("reads every field that Celery sends", () => {
  const named = (name: string) => {
    const row = plain.find((each) => each.name === name);
    const decoded = row === undefined ? undefined : decodeTask(asMessage(row));
    if (decoded?.kind !== "task") throw new Error(`no task in ${name}`);
    return decoded.task;
  };
  expect(named("eta").eta).toEqual(new Date("2030-01-02T03:04:05.678Z"));
  expect(named("eta in another zone").eta).toEqual(new Date("2030-01-02T03:04:05.678Z"));
  expect(named("time limits").timeLimit).toEqual({ hard: 30, soft: 20.5 });
  expect(named("priority").priority).toBe(7);
  expect(named("ignore result").ignoreResult).toBe(true);
  expect(named("custom headers").headers).toMatchObject({ traceparent: "00-abc-def-01", tenant: 7 });
  expect(named("shadow").shadow).toBe("sum");
  expect(named("stamps")).toMatchObject({ stampedHeaders: ["tenant", "trace"], stamps: { tenant: "acme", trace: ["a", "b"] } });
  expect(named("numbers").args[0]).toEqual([Number.NaN, Infinity, -Infinity, 9007199254740993n, -18446744073709551616n, 1, 1e16, 1e-7, -0]);
  expect(named("link").callbacks.map(({ task }) => task)).toEqual(["celery_app.add"]);
  expect(named("link").errbacks.map(({ task }) => task)).toEqual(["celery_app.on_error"]);
  expect(named("chain").chain.map(({ task }) => task)).toEqual(["celery_app.echo", "celery_app.add"]);
  expect(named("chord")).toMatchObject({ groupIndex: 0, chord: { task: "celery_app.tsum" } });
  expect(named("protocol 1 with all")).toMatchObject({
    protocol: 1,
    args: [1, 2],
    kwargs: { z: "ü" },
    retries: 2,
    group: "g-1",
    timeLimit: { hard: 9, soft: 8 },
    expires: new Date("2031-01-01T00:00:00Z"),
    callbacks: [{ task: "celery_app.add" }],
  });
});

test("refuses pickle without reading it, and says who waits for an answer", () => {
  const row = recorded.find(({ name }) => name === "pickle");
  if (row === undefined) throw new Error("no such vector");
  expect(decodeTask(asMessage(row))).toEqual({
    kind: "malformed",
    code: "content-type",
    reason: 'content type "application/x-python-serialize" is refused; send application/json',
    answer: {
      id: row.headers["id"],
      name: "celery_app.echo",
      replyTo: row.properties["reply_to"],
      correlationId: row.properties["correlation_id"],
    },
  });
});

const headers = { task: "t", id: "1" };
const broken: readonly [why: string, headers: Record<string, unknown>, body: string, code: string, reason: RegExp][] = [
  ["a body that is no JSON", headers, "[", "decode", /the body cannot be read: unexpected text/],
  ["an empty body", headers, "", "decode", /cannot be read/],
  ["a body that is a number", headers, "1", "shape", /\[args, kwargs, embed\]/],
  ["nothing that names a task", {}, "[[], {}, {}]", "shape", /no task/],
  ["an object without a task", {}, '{"a": 1}', "shape", /id is undefined/],
  ["no id", { task: "t" }, "[[], {}, {}]", "shape", /id is undefined, expected the task's id/],
  ["args that are no list", headers, "[{}, {}, {}]", "shape", /args is object, expected a list/],
  ["kwargs that are no object", headers, "[[], [], {}]", "shape", /kwargs is a list, expected an object/],
  ["kwargs that are null", headers, "[[], null, {}]", "shape", /kwargs is null/],
  ["an embed that is no object", headers, "[[], {}, 1]", "shape", /third part/],
  ["an eta that is no date", { ...headers, eta: "soon" }, "[[], {}, {}]", "shape", /eta is "soon", expected an ISO 8601 date/],
  ["an expiry that is a number", { ...headers, expires: 5 }, "[[], {}, {}]", "shape", /expires is number/],
  ["a time limit that is no pair", { ...headers, timelimit: 5 }, "[[], {}, {}]", "shape", /timelimit is number/],
  ["retries below zero", { ...headers, retries: -1 }, "[[], {}, {}]", "shape", /retries is number/],
  [
    "a callback that is no signature",
    headers,
    '[[], {}, {"callbacks": [1]}]',
    "shape",
    /callbacks is a list, expected a list of signatures/,
  ],
  [
    "an unknown compression",
    { ...headers, compression: "application/x-foo" },
    "[[], {}, {}]",
    "decode",
    /compression "application\/x-foo" is not supported/,
  ],
];
test.for(broken)("%s is malformed, never thrown", ([, given, body, code, reason]) => {
  const decoded = decodeTask({ properties: { headers: given, correlationId: "c" }, body: Buffer.from(body) });
  expect(decoded).toMatchObject({ kind: "malformed", code, answer: { id: given["id"] ?? "c" } });
  expect(decoded).toHaveProperty("reason", expect.stringMatching(reason));
});

test("knows when it was published", () => {
  const body = Buffer.from("[[], {}, {}]");
  expect(decodeTask({ properties: { headers, timestamp: 12 }, body })).toMatchObject({ task: { enqueuedAt: 12_000 } });
  expect(decodeTask({ properties: { headers: { ...headers, "x-enqueued-at": 12_345 }, timestamp: 12 }, body })).toMatchObject({
    task: { enqueuedAt: 12_345 },
  });
});
