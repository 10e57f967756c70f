import { expect, test } from "vitest";
import { BrokerError, type Delivery, type Publication } from "../ports.ts";
import { bury, deadLetter } from "./dead-letter.ts";

const settled: string[] = [];
const delivery: Delivery = {
  queue: "q",
  exchange: "shop",
  routingKey: "order.new",
  redelivered: true,
  properties: { headers: { id: "t", tenant: "a", "x-death": [{}], "x-delivery-count": 3 }, expiration: "1000", priority: 4 },
  body: Buffer.from("body"),
  ack: () => settled.push("ack") > 0,
  reject: (requeue) => settled.push(`reject ${requeue}`) > 0,
};
const death = { reason: "failed", error: "ValueError('no')" } as const;
const by = { worker: "celery@a", now: Date.UTC(2026, 0, 1) };

test("a dead letter is the message as it came, with why, when, where from and by whom", () => {
  expect(deadLetter(delivery, death, { exchange: "dead" }, by)).toEqual({
    exchange: "dead",
    routingKey: "q",
    mandatory: true,
    body: delivery.body,
    properties: {
      deliveryMode: 2,
      priority: 4,
      headers: {
        id: "t",
        tenant: "a",
        "longshore-death-reason": "failed",
        "longshore-death-error": "ValueError('no')",
        "longshore-death-queue": "q",
        "longshore-death-exchange": "shop",
        "longshore-death-routing-key": "order.new",
        "longshore-death-worker": "celery@a",
        "longshore-death-time": "2026-01-01T00:00:00.000Z",
      },
    },
  });
});

function deps(publish: (message: Publication) => Promise<void>, cemetery?: { exchange: string }) {
  const log = { debug() {}, info() {}, warn() {}, error: () => void settled.push("log") };
  const broker = { publish } as unknown as Parameters<typeof bury>[2]["broker"];
  const clock = { now: () => by.now, setTimeout: () => ({ cancel() {} }) };
  return { broker, clock, log, hostname: by.worker, ...(cemetery && { cemetery }) };
}

test.for<[why: string, publish: () => Promise<void>, cemetery: { exchange: string } | undefined, want: readonly string[]]>([
  ["acknowledged once the broker has the dead letter", async () => void settled.push("publish"), { exchange: "dead" }, ["publish", "ack"]],
  ["left to the queue where the pool keeps none", async () => void settled.push("publish"), undefined, ["reject false"]],
  [
    "left to the queue where the exchange does not take it",
    () => Promise.reject(new BrokerError("unroutable", "nobody")),
    { exchange: "dead" },
    ["log", "reject false"],
  ],
])("a dead message is %s", async ([, publish, cemetery, want]) => {
  settled.length = 0;
  await bury(delivery, death, deps(publish, cemetery));
  expect(settled).toEqual(want);
});
