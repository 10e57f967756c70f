import { expect, test } from "vitest";
import { memoryBroker } from "../../test/fakes/broker.ts";
import { asMessage, type MessageVector, readVectors } from "../../test/vectors/load.ts";
import { decompress } from "../compression.ts";
import { BrokerError, type BrokerPort, type Publication } from "../ports.ts";
import { decodeTask } from "../protocol/message.ts";
import { encodeResult, resultKey } from "../protocol/result.ts";
import { type ClientOptions, createClient } from "./client.ts";
import { TaskError, TaskRevokedError } from "./errors.ts";
import type { ResultsPort } from "./ports.ts";
import { routeOf } from "./routes.ts";
import { chord, signature } from "./signature.ts";

const NOW = Date.parse("2026-01-02T03:04:05Z");

/** Results in memory; `put` stores and publishes. */
function memoryResults(): ResultsPort & {
  put(key: string, row: string): void;
  readonly written: [string, string][];
  readonly watchers: () => number;
} {
  const rows = new Map<string, Uint8Array>();
  const listeners = new Set<readonly [string, (row: Uint8Array) => void]>();
  const written: [string, string][] = [];
  return {
    written,
    watchers: () => listeners.size,
    put(key, row) {
      rows.set(key, Buffer.from(row));
      for (const [watched, listener] of listeners) if (watched === key) listener(Buffer.from(row));
    },
    async watch(key, onRow) {
      const entry = [key, onRow] as const;
      listeners.add(entry);
      const row = rows.get(key);
      if (row !== undefined) onRow(row);
      return () => void listeners.delete(entry);
    },
    read: async (key) => rows.get(key),
    write: async (key, value) => void written.push([key, value]),
    remove: async (key) => void rows.delete(key),
    async [Symbol.asyncDispose]() {},
  };
}

function setup(options: Partial<ClientOptions> = {}, broker: BrokerPort = memoryBroker(["celery"])) {
  const results = memoryResults();
  const pauses: number[] = [];
  let ids = 0;
  const world = { now: () => NOW, newId: () => `id-${ids++}`, pause: async (ms: number) => void pauses.push(ms) };
  const client = createClient(broker, { results, errors: {}, decompress }, { origin: "gen1@here", ...options }, world);
  return { client, results, pauses };
}

const taskIn = (message: Publication | undefined) => {
  const decoded = message === undefined ? undefined : decodeTask(message);
  if (decoded?.kind !== "task") throw new Error("no task was sent");
  return decoded.task;
};

test("every option arrives as the field of the message that Celery knows", async () => {
  const broker = memoryBroker([]);
  const { client } = setup({}, broker);
  const link = signature("after");
  await client.send(
    "t",
    [1, new Date(0)],
    { a: "b" },
    {
      id: "mine",
      exchange: "media",
      routingKey: "video",
      priority: 7,
      countdownMs: 1_500,
      expires: 60_000,
      headers: { tenant: 7 },
      timeLimit: { hard: 30, soft: 20 },
      ignoreResult: true,
      link: [link],
      linkError: [signature("oops")],
      shadow: "shown",
    },
  );
  const [message] = broker.published;
  expect(message).toMatchObject({
    exchange: "media",
    routingKey: "video",
    mandatory: true,
    properties: { expiration: "60000", priority: 7 },
  });
  expect(taskIn(message)).toMatchObject({
    id: "mine",
    name: "t",
    args: [1, new Date(0)],
    kwargs: { a: "b" },
    eta: new Date(NOW + 1_500),
    expires: new Date(NOW + 60_000),
    timeLimit: { hard: 30, soft: 20 },
    ignoreResult: true,
    callbacks: [link],
    errbacks: [{ task: "oops" }],
    shadow: "shown",
    enqueuedAt: NOW,
    rootId: "mine",
    argsRepr: "(1, datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))",
  });
  expect(message?.properties.headers).toMatchObject({ tenant: 7, parent_id: null, origin: "gen1@here" });
});

test("tries again while the broker is away, and only then", async () => {
  const calls: Publication[] = [];
  const failing = (failure: "interrupted" | "refused", times: number): BrokerPort => ({
    ...memoryBroker([]),
    async publish(message) {
      calls.push(message);
      if (calls.length <= times) throw new BrokerError(failure, failure);
    },
  });
  const away = setup({}, failing("interrupted", 3));
  await away.client.send("t", [], {}, { id: "same" });
  expect(away.pauses).toEqual([0, 200, 400]);
  expect(new Set(calls.map((message) => taskIn(message).id))).toEqual(new Set(["same"]));

  calls.length = 0;
  await expect(setup({}, failing("interrupted", 9)).client.send("t", [], {}, { retry: { maxRetries: 1 } })).rejects.toThrow("interrupted");
  expect(calls.length).toBe(2);
  calls.length = 0;
  await expect(setup({}, failing("refused", 9)).client.send("t")).rejects.toThrow("refused");
  expect(calls.length).toBe(1);
});

test("a wrong time or argument is an error that names it, before anything is sent", async () => {
  const broker = memoryBroker(["celery"]);
  const { client } = setup({}, broker);
  await expect(client.send("t", [], {}, { eta: new Date(Number.NaN) })).rejects.toThrow("eta is NaN, expected a time");
  await expect(client.send("t", [{ a: () => 1 }])).rejects.toThrow("is a function");
  await expect(client.send("t", [], {}, { exchange: "media" })).rejects.toThrow('task t: exchange "media" is given without a routingKey');
  expect(broker.published).toEqual([]);
});

const routes = { "media.*": { queue: "video", priority: 3 }, "*": { exchange: "rest", routingKey: "all" } };
test.for([
  ["the first pattern that fits", "media.cut", {}, { exchange: "", routingKey: "video", priority: 3 }],
  ["a dot is a dot", "mediaXcut", {}, { exchange: "rest", routingKey: "all", priority: undefined }],
  ["the call wins over the route", "media.cut", { queue: "q", priority: 9 }, { exchange: "", routingKey: "q", priority: 9 }],
  [
    "a routing key alone changes the key of the route",
    "x",
    { routingKey: "k" },
    { exchange: "rest", routingKey: "k", priority: undefined },
  ],
] as const)("routes: %s", ([, name, call, want]) => expect(routeOf(name, call, routes, "celery")).toEqual(want));

test("without a route, Celery's default queue", () => {
  expect(routeOf("t", {}, {}, "celery")).toEqual({ exchange: "", routingKey: "celery", priority: undefined });
});

test("waits for the final state, tells of the others, and stops listening", async () => {
  const { client, results } = setup();
  const put = (state: string, more = {}) => results.put(resultKey("a"), encodeResult({ id: "a", state, ...more }));
  const states: string[] = [];
  put("STARTED");
  const waiting = client.result("a").get({ onState: ({ state }) => states.push(state) });
  await Promise.resolve();
  put("RETRY");
  put("SUCCESS", { result: 5 });
  expect(await waiting).toBe(5);
  expect(states).toEqual(["STARTED", "RETRY"]);
  await expect.poll(results.watchers).toBe(0);
  put("REVOKED", { error: { exc_type: "TaskRevokedError", exc_message: ["revoked"], exc_module: "celery.exceptions" } });
  await expect(client.result("a").get()).rejects.toBeInstanceOf(TaskRevokedError);
  results.put(resultKey("b"), "[1]");
  await expect(client.result("b").get()).rejects.toThrow("not a Celery result");
});

test("an error carries its Python class on to where it is thrown again", () => {
  const exception = { exc_type: "ValueError", exc_message: ["no", 1], exc_module: "builtins" };
  const error = new TaskError({ id: "a", state: "FAILURE", result: null, children: [], traceback: "at" }, exception);
  expect(error).toMatchObject({
    name: "ValueError",
    message: "ValueError('no', 1)",
    pyClass: "builtins.ValueError",
    pyArgs: ["no", 1],
    remoteTraceback: "at",
  });
});

test("the size of a chord is written before its first part is sent", async () => {
  const order: string[] = [];
  const broker = { ...memoryBroker([]), publish: async (message: Publication) => void order.push(taskIn(message).name) };
  const { client, results } = setup({}, broker);
  results.write = async (key, value) => void order.push(`${key.slice(-2)}=${value}`);
  const body = await client.apply(chord([signature("a"), signature("b")], signature("body")));
  expect(order).toEqual([".s=2", "a", "b"]);
  expect(body.id).toMatch(/^id-/);
});

test("gzip, as Celery means it, is undone, and a bomb is not", () => {
  const row = readVectors<MessageVector>("messages").find(({ name }) => name === "gzip");
  if (row === undefined) throw new Error("no vector");
  expect(decodeTask(asMessage(row), { decompress })).toMatchObject({ kind: "task", task: { args: ["x".repeat(300)] } });
  expect(() => decompress(asMessage(row).body, "application/x-gzip", 100)).toThrow();
});
