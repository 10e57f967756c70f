import { expect, test } from "vitest";
import { asMessage, type MessageVector, readVectors } from "../../test/vectors/load.ts";
import {
  failedFields,
  rejectedFields,
  retriedFields,
  revokedFields,
  startedFields,
  succeededFields,
  workerFields,
} from "./event-fields.ts";
import { buildEvent, type CeleryEvent, encodeEvent, encodeEventBatch, receivedFields } from "./events.ts";
import { isList, isMap } from "./json/is-value.ts";
import { decodeJson } from "./json/json.ts";
import type { ValueMap } from "./json/value.ts";
import { decodeTask } from "./message.ts";

const rows = readVectors<MessageVector>("events");

function eventsOf(row: MessageVector): readonly ValueMap[] {
  const body = decodeJson(asMessage(row).body, { exactFloats: true });
  return (isList(body) ? body : [body]).filter(isMap);
}

/** Rebuilds a recorded event from its parts. */
function rebuild(event: ValueMap): CeleryEvent {
  const { hostname, utcoffset, pid, clock, timestamp, type, ...fields } = event;
  return buildEvent(String(type), { hostname, utcoffset, pid, clock, timestamp } as unknown as Parameters<typeof buildEvent>[1], fields);
}

test.for(rows)("writes the event message on $routingKey of $version byte for byte", (row) => {
  const events = eventsOf(row).map(rebuild);
  const [only] = events;
  const publication = row.routingKey.endsWith(".multi") || only === undefined ? encodeEventBatch(events) : encodeEvent(only);
  const message = asMessage(row);
  expect(publication.routingKey).toBe(row.routingKey);
  expect(publication.exchange).toBe(row.exchange);
  expect(publication.body.toString()).toBe(message.body.toString());
  expect(publication.properties).toEqual(message.properties);
});

const all = rows.flatMap(eventsOf);
const fieldsOf = (type: string): readonly string[] => {
  const found = all.find((event) => event["type"] === type);
  if (found === undefined) throw new Error(`no ${type} was recorded`);
  return Object.keys(found).filter((name) => !["hostname", "utcoffset", "pid", "clock", "timestamp", "type"].includes(name));
};

test("each event has the fields of Celery's, in its order", () => {
  const load = { freq: 2, active: 0, processed: 3, loadavg: [0, 0, 0] as const, version: "1" };
  const error = { exc_type: "ValueError", exc_message: ["no"], exc_module: "builtins" };
  expect(Object.keys(workerFields(load))).toEqual(fieldsOf("worker-heartbeat"));
  expect(Object.keys(startedFields("1"))).toEqual(fieldsOf("task-started"));
  expect(succeededFields("1", "it's", 0.25)).toEqual({ uuid: "1", result: "'it\\'s'", runtime: 0.25 });
  expect(Object.keys(succeededFields("1", null, 1))).toEqual(fieldsOf("task-succeeded"));
  expect(Object.keys(failedFields("1", error, "at x"))).toEqual(fieldsOf("task-failed"));
  expect(failedFields("1", error, "at x")).toMatchObject({ exception: "ValueError('no')", traceback: "at x" });
  expect(Object.keys(retriedFields("1", undefined, "at x"))).toEqual(fieldsOf("task-retried"));
  expect(Object.keys(rejectedFields("1", true))).toEqual(fieldsOf("task-rejected"));
  expect(Object.keys(revokedFields("1", {}))).toEqual(fieldsOf("task-revoked"));
  expect(revokedFields("1", { expired: true })).toEqual({ uuid: "1", terminated: false, signum: null, expired: true });
  expect(retriedFields("1", undefined, "")).toMatchObject({ exception: "None" });
});

test("task-received says of a task what Celery says", () => {
  const sent = readVectors<MessageVector>("published").filter(({ version }) => version === "5.6.3");
  const received = all.filter((event) => event["type"] === "task-received");
  let compared = 0;
  for (const row of sent) {
    const decoded = decodeTask(asMessage(row));
    const event = received.find(({ uuid, retries }) => uuid === row.headers["id"] && retries === row.headers["retries"]);
    if (decoded.kind !== "task" || event === undefined) continue;
    expect(event).toMatchObject(receivedFields(decoded.task));
    expect(Object.keys(receivedFields(decoded.task))).toEqual(fieldsOf("task-received"));
    compared += 1;
  }
  expect(compared).toBeGreaterThan(0);
});
