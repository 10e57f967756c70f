import { connect } from "amqplib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Schedule, scheduleKind } from "../../operator/kinds/schedule/schema.ts";
import { resourceOf } from "../../operator/runtime/define-kind.ts";
import type { OperatorProcess } from "./operator-process.ts";
import { openScheduleStage, type ScheduleStage, tickOf } from "./schedule-stage.ts";
import { type Api, awaitObject, startApi } from "./topology-operator.ts";
import { type Lab, openLab, untilReady } from "./worker-process.ts";

/** Schedules as their user has them: kubectl on a real API server, one operator, and a worker whose task never ends by itself. */
const TASK = `
import { defineTask } from "longshore";
export const forever = defineTask({
  name: "t.forever",
  async run(_, { signal }) {
    await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
  },
});
`;

let api: Api;
let lab: Lab;
let stage: ScheduleStage;
let operator: OperatorProcess;
beforeAll(async () => {
  [api, lab] = await Promise.all([startApi(), openLab("schedules-kubectl", 9)]);
  for (const queue of ["slow", "ticks"]) await lab.declare(queue, { "x-max-priority": 9 });
  stage = await openScheduleStage(api.server.kubeconfig, { broker: lab.brokerUrl, store: lab.redisUrl });
  operator = stage.operator("kubectl");
}, 240_000);
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
  await api?.[Symbol.asyncDispose]();
});

type Status = NonNullable<Schedule["status"]>;

async function kubectl(args: readonly string[], input?: string): Promise<string> {
  const { code, out, error } = await api.server.kubectl(args, input);
  if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${error}`);
  return out;
}
/** Applies one Schedule; what the spec does not say goes to the queue `ticks`. */
const apply = (name: string, spec: object) => {
  const refs = { brokerRef: { name: "rabbitmq" }, storeRef: { name: "redis" }, task: "t" };
  const target = "exchange" in spec ? {} : { queue: "ticks" };
  const object = { apiVersion: "longshore.dev/v1alpha1", kind: "Schedule", metadata: { name }, spec: { ...refs, ...target, ...spec } };
  return kubectl(["apply", "--server-side", "-f", "-"], JSON.stringify(object));
};
const until = async (name: string, wanted: (status: Status) => boolean): Promise<Status> => {
  const fits = (object: Schedule | undefined) => wanted(object?.status ?? {});
  return (await awaitObject<Schedule>(api.kube, resourceOf(scheduleKind), "default", name, fits, 90_000))?.status ?? {};
};
const reason = (status: Status) => status.conditions?.[0]?.reason;
const SETTLED = new Set(["Scheduled", "Suspended", "Finished"]);

const isLastOfMonth = (next: string) => new Date(Date.parse(next) + 86_400_000).getUTCDate() === 1;
const times: readonly [name: string, spec: object, column: string, next: (next: string) => boolean, reason?: string][] = [
  ["five", { cron: "30 2 * * *", timeZone: "Europe/Berlin" }, "30 2 \\* \\* \\* Europe/Berlin", (next) => /T0[01]:30:00/.test(next)],
  ["six", { cron: "15 30 2 * * *" }, "15 30 2 \\* \\* \\*", (next) => next.includes("T02:30:15.000Z")],
  ["hourly", { cron: "@hourly" }, "@hourly", (next) => next.includes(":00:00.000Z")],
  ["leap", { cron: "0 0 29 2 *" }, "0 0 29 2 \\*", (next) => next.includes("-02-29T00:00:00.000Z")],
  ["month-end", { cron: "0 12 L * *", timeZone: "America/New_York" }, "0 12 L \\* \\* America/New_York", isLastOfMonth],
  ["interval", { every: "6h", jitter: "1h" }, "every 6h", (next) => Date.parse(next) > Date.now()],
  ["once", { at: ["2099-12-24T09:00:00+01:00"] }, "at 2099-12-24T09:00:00\\+01:00", (next) => next === "2099-12-24T08:00:00.000Z"],
  ["later", { every: "1h", startTime: "2099-01-01T00:00:00Z" }, "every 1h", (next) => next === "2099-01-01T00:00:00.000Z"],
  ["over", { every: "1h", endTime: "2020-01-01T00:00:00Z" }, "every 1h", (next) => next === "", "Finished"],
  ["suspended", { every: "1h", suspend: true }, "every 1h", (next) => next === "", "Suspended"],
];

test("every way to say when is shown by kubectl, with its next time", async () => {
  for (const [name, spec] of times) await apply(name, spec);
  await operator.said("publishing what is due");
  for (const [name, , , next, wanted = "Scheduled"] of times) {
    const status = await until(name, (now) => SETTLED.has(reason(now) ?? ""));
    expect({ name, reason: reason(status), next: next(status.nextScheduleTime ?? "") }).toEqual({ name, reason: wanted, next: true });
  }
  const out = await kubectl(["get", "schedules"]);
  expect(out).toMatch(/^NAME\s+SCHEDULE\s+SUSPENDED\s+LAST\s+NEXT\s+LAST RESULT/);
  for (const [name, , column, , wanted] of times)
    expect(out).toMatch(new RegExp(`^${name}\\s+${column}\\s+${wanted === "Suspended"}`, "m"));
});

test("what cannot be is told with its field, and passes when it is corrected", async () => {
  await apply("wrong", { cron: "0 25 * * *" });
  const { conditions } = await until("wrong", (status) => reason(status) === "InvalidSpec");
  expect(conditions?.[0]?.message).toMatch(/^spec\.cron "0 25 \* \* \*" cannot be read: .*25/);
  await apply("wrong", { cron: "0 23 * * *", timeZone: "Mars/Phobos" });
  await until("wrong", (status) => status.conditions?.[0]?.message.startsWith("spec.timeZone Mars/Phobos") === true);
  await apply("wrong", { cron: "0 23 * * *", headers: { id: "mine" } });
  await until("wrong", (status) => status.conditions?.[0]?.message.startsWith("spec.headers.id is Celery's own") === true);
  await apply("wrong", { cron: "0 23 * * *" });
  await until("wrong", (status) => reason(status) === "Scheduled");
});

test("a message carries what the spec says: exchange, routing key, priority, expiry, headers", async () => {
  const model = await connect(lab.brokerUrl);
  try {
    const channel = await model.createChannel();
    await channel.assertExchange("shop", "topic", { durable: true });
    await channel.bindQueue("ticks", "shop", "order.*");
    const more = { priority: 7, expires: "10m", headers: { tenant: "x" }, args: [1], kwargs: { kind: "full" } };
    await apply("full", {
      at: ["2099-01-01T00:00:00Z"],
      task: "orders.sum",
      exchange: "shop",
      routingKey: "order.new",
      suspend: true,
      ...more,
    });
    await kubectl(["annotate", "schedule", "full", "longshore.dev/run-now=1"]);
    const { lastTaskId } = await until("full", ({ lastRunNow }) => lastRunNow === "1");
    const message = await channel.get("ticks", { noAck: true });
    if (message === false) throw new Error("there is no message");
    const { properties, content, fields } = message;
    expect(fields).toMatchObject({ exchange: "shop", routingKey: "order.new" });
    expect(properties).toMatchObject({ priority: 7, expiration: "600000", correlationId: lastTaskId });
    expect(properties.headers).toMatchObject({ task: "orders.sum", id: lastTaskId, tenant: "x" });
    expect(tickOf(properties.headers ?? {})).toMatchObject({ schedule: "full", id: lastTaskId });
    expect(JSON.parse(content.toString())).toMatchObject([[1], { kind: "full" }, { chain: null }]);
  } finally {
    await model.close();
  }
});

test("Forbid leaves out while a run goes on; Replace revokes it; both say so, and a suspension ends it", async () => {
  await untilReady(await lab.worker({ queues: "slow", concurrency: 8, tasks: { "forever.ts": TASK } }));
  await apply("forbid", { every: "1s", task: "t.forever", queue: "slow", concurrencyPolicy: "Forbid" });
  await apply("replace", { every: "3s", task: "t.forever", queue: "slow", concurrencyPolicy: "Replace" });
  const first = (await until("replace", ({ published = 0 }) => published >= 1)).lastTaskId ?? "";
  const forbidden = await until("forbid", ({ missed = 0, lastResult }) => missed >= 2 && lastResult === "Running");
  expect(forbidden.published).toBe(1);
  await expect.poll(async () => (await lab.redis.get(`celery-task-meta-${first}`)) ?? "", { timeout: 60_000 }).toContain("REVOKED");
  for (const name of ["forbid", "replace"]) await kubectl(["patch", "schedule", name, "--type=merge", "-p", '{"spec":{"suspend":true}}']);
  await Promise.all(["forbid", "replace"].map((name) => until(name, (status) => reason(status) === "Suspended")));
  const said = () => kubectl(["get", "events.events.k8s.io", "-o", "jsonpath={.items[*].reason}"]);
  await expect.poll(said, { timeout: 60_000 }).toMatch(/RunForbidden/);
  await expect.poll(said, { timeout: 60_000 }).toMatch(/RunReplaced/);
});
