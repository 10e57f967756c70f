import { expect, test } from "vitest";
import { asMessage, type MessageVector, readVectors } from "../../test/vectors/load.ts";
import { decodeTask } from "./message.ts";
import { encodeRetry } from "./retry-message.ts";
import { type RetryPolicy, retryDelay } from "./retry-policy.ts";
import type { TaskMessage } from "./task-message.ts";

function taskOf(row: MessageVector | undefined): TaskMessage {
  const decoded = row === undefined ? undefined : decodeTask(asMessage(row));
  if (decoded?.kind !== "task") throw new Error("no task");
  return decoded.task;
}

test.for(["5.6.3", "5.7.0"])("sends a task again as Celery %s does", (version) => {
  const rows = readVectors<MessageVector>("published").filter((row) => row.name === "retry" && row.version === version);
  const [first, second] = rows;
  if (first === undefined || second === undefined) throw new Error("no retry was recorded");
  const eta = Date.parse(String(second.headers["eta"]));
  const now = Date.parse(String(first.headers["expires"])) - Number(second.properties["expiration"]);
  const again = encodeRetry(taskOf(first), { eta, now });
  const { headers, ...properties } = asMessage(second).properties;
  expect(again.properties).toMatchObject({
    ...properties,
    headers: { ...headers, eta: expect.stringContaining(String(headers["eta"]).slice(0, 23)) },
  });
  expect(Object.keys(again.properties.headers).filter((name) => !(name in headers))).toEqual(["x-enqueued-at"]);
  expect(Buffer.from(again.body).toString()).toBe(asMessage(second).body.toString());
});

test("strips what the broker added, and keeps what the sender did", () => {
  const task = taskOf(readVectors<MessageVector>("messages").find(({ name }) => name === "custom headers"));
  const returned = { ...task, headers: { ...task.headers, "x-death": [{}], "x-first-death-queue": "q", "x-delivery-count": 2 } };
  const { headers } = encodeRetry(returned, { now: 5, attempt: false }).properties;
  expect(Object.keys(headers).filter((name) => name.startsWith("x-"))).toEqual(["x-enqueued-at"]);
  expect(headers).toMatchObject({ tenant: 7, retries: 0, parent_id: null, eta: null });
});

test("new arguments make a new body, also of a task that came as protocol 1", () => {
  const task = taskOf(readVectors<MessageVector>("messages").find(({ name }) => name === "protocol 1 with all"));
  const again = decodeTask({ ...encodeRetry(task, { now: 0, args: [5] }), body: encodeRetry(task, { now: 0, args: [5] }).body });
  expect(again).toMatchObject({
    kind: "task",
    task: { protocol: 2, args: [5], kwargs: { z: "ü" }, retries: 3, argsRepr: "(5,)", callbacks: [{ args: [{ value: 1 }] }] },
  });
});

const delays: readonly [
  why: string,
  policy: RetryPolicy,
  retries: number,
  random: number,
  countdown: number | undefined,
  want: number | undefined,
][] = [
  ["three minutes unless told", {}, 0, 0.5, undefined, 180],
  ["three retries unless told", {}, 3, 0.5, undefined, undefined],
  ["no limit", { max_retries: null }, 1_000, 0, undefined, 180],
  ["the task's own wait", { default_retry_delay: 5 }, 1, 0, 7, 7],
  ["a backoff without jitter", { retry_backoff: true, retry_jitter: false }, 2, 0.9, undefined, 4],
  ["its factor", { retry_backoff: 3, retry_jitter: false, max_retries: 9 }, 4, 0.9, undefined, 48],
  ["its bound", { retry_backoff: true, retry_jitter: false, max_retries: null }, 2_000, 0, undefined, 600],
  ["full jitter, least", { retry_backoff: true }, 2, 0, undefined, 0],
  ["full jitter, most", { retry_backoff: true }, 2, 0.999_999, undefined, 4],
];
test.for(delays)("waits: %s", ([, policy, retries, random, countdown, want]) => {
  expect(retryDelay(policy, retries, random, countdown)).toBe(want);
});
