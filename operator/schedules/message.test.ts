import { expect, test } from "vitest";
import { scheduleObject } from "../../test/fakes/schedule-world.ts";
import { taskRecordKey, taskResultKey } from "../../worker/contract/names.ts";
import { recordKey } from "../../worker/leases/leases.ts";
import { encodeTask } from "../../worker/protocol/encode-task.ts";
import { resultKey } from "../../worker/protocol/result.ts";
import { ENQUEUED_AT_HEADER } from "../../worker/protocol/task-message.ts";
import { messageOf } from "./message.ts";
import { taskIdOf } from "./task-id.ts";

const run = { taskId: "7f1c", due: Date.UTC(2026, 0, 1), now: Date.UTC(2026, 0, 1, 0, 0, 2), origin: "gen1@pod" };
const args = [1, "a'b", null, true, [1.5], { deep: { er: [] } }];
const kwargs = { text: "ä\n", list: [1, "two", false] };

test("a message is byte for byte what a Celery client would send, with the schedule's headers beside", () => {
  const message = messageOf(scheduleObject({ args, kwargs, priority: 3, expires: "10m", headers: { tenant: "x" } }), run);
  const headers = {
    tenant: "x",
    [ENQUEUED_AT_HEADER]: run.now,
    "longshore-schedule": "default/s",
    "longshore-due": "2026-01-01T00:00:00.000Z",
  };
  const celery = encodeTask({
    id: run.taskId,
    name: "t",
    args,
    kwargs,
    origin: run.origin,
    priority: 3,
    expires: run.now + 600_000,
    headers,
  });
  const { argsrepr, kwargsrepr, ...rest } = message.headers;
  const { argsrepr: _, kwargsrepr: __, ...want } = celery.properties.headers ?? {};
  expect(rest).toEqual({ ...want, expires: expect.stringMatching(/^2026-01-01T00:10:02(\.000000)?\+00:00$/) as string });
  expect([argsrepr, kwargsrepr]).toEqual([
    `(1, 'a\\'b', None, True, [1.5], {'deep': {'er': []}})`,
    `{'text': 'ä\\n', 'list': [1, 'two', False]}`,
  ]);
  expect(JSON.parse(Buffer.from(message.body).toString())).toEqual(JSON.parse(celery.body.toString()));
  expect(message).toMatchObject({ exchange: "", routingKey: "q", correlationId: run.taskId, priority: 3, expiration: 600_000 });
});

test("it goes to a queue, or to an exchange with a routing key", () => {
  const { exchange, routingKey } = messageOf(scheduleObject({ queue: undefined, exchange: "shop", routingKey: "order.new" }), run);
  expect({ exchange, routingKey }).toEqual({ exchange: "shop", routingKey: "order.new" });
});

test("a task's id follows from schedule and due time, and is a UUID", () => {
  const id = taskIdOf("uid", 1_000);
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(taskIdOf("uid", 1_000)).toBe(id);
  const others = [taskIdOf("uid", 1_001), taskIdOf("uie", 1_000), taskIdOf("uid", { runNow: "1000" }), taskIdOf("uid", { runNow: "a" })];
  expect(new Set([id, ...others]).size).toBe(5);
});

test("the operator looks for leases and results where the worker puts them", () => {
  expect(taskRecordKey("x")).toBe(recordKey("task:x"));
  expect(taskResultKey("x")).toBe(resultKey("x"));
});
