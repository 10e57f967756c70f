import { expect, test } from "vitest";
import type { Deployment } from "../kinds/worker-pool/deployment.ts";
import type { Run } from "./pool-runner.ts";
import { type Grounds, restAfter, stillRests } from "./rest.ts";
import type { BrokerSensor } from "./sense/broker-sensor.ts";

/* oxlint-disable typescript/no-unsafe-type-assertion -- only what resting looks at is there */
const run = (of: { replicas?: number; draining?: number; pending?: boolean } = {}): Run =>
  ({ decision: { replicas: of.replicas ?? 2 }, draining: of.draining ?? 0, pending: of.pending ?? false }) as unknown as Run;
const sensor = (count: object | undefined): BrokerSensor => ({ live: () => count && { value: count, at: 0 } }) as unknown as BrokerSensor;
const deployment = { spec: { replicas: 2 } } as unknown as Deployment;
const pod = { metadata: { name: "a" } };
const plan = { queues: [{ name: "q", weight: 1 }] };
const base = { pool: {}, deployment, pods: [pod], plan, sensor: undefined } as unknown as Grounds;
const grounds = (of: Partial<Record<keyof Grounds, unknown>> = {}): Grounds => ({ ...base, ...of }) as Grounds;
const reading = (ready: number, consumers = 1) => {
  const broker = sensor({ ready, consumers });
  return { broker, change: (to: number) => Object.assign(broker, { live: () => ({ value: { ready: to, consumers }, at: 1 }) }) };
};

test.for([
  ["has its size", run(), true],
  ["should grow", run({ replicas: 3 }), false],
  ["should shrink", run({ replicas: 1 }), false],
  ["drains", run({ draining: 1 }), false],
  ["waits for a burst to end", run({ pending: true }), false],
] as const)("a pool that %s", ([, of, rests]) => {
  expect(stillRests(restAfter(of, grounds(), 0), grounds(), 200)).toBe(rests);
});

test("it rests for a second at most", () => {
  const rest = restAfter(run(), grounds(), 5_000);
  expect(stillRests(rest, grounds(), 5_800)).toBe(true);
  expect(stillRests(rest, grounds(), 6_000)).toBe(false);
});

test("a message, a consumer, a pod, another Deployment or another broker ends it", () => {
  const { broker, change } = reading(0);
  const rest = restAfter(run(), grounds({ sensor: broker }), 0);
  expect(stillRests(rest, grounds({ sensor: broker }), 200)).toBe(true);
  expect(stillRests(rest, grounds({ sensor: broker, pods: [pod, pod] }), 200)).toBe(false);
  expect(stillRests(rest, grounds({ sensor: broker, pods: [{ ...pod }] }), 200)).toBe(false);
  expect(stillRests(rest, grounds({ sensor: broker, deployment: { ...deployment } }), 200)).toBe(false);
  expect(stillRests(rest, grounds({ sensor: reading(0).broker }), 200)).toBe(false);
  change(1);
  expect(stillRests(rest, grounds({ sensor: broker }), 200)).toBe(false);
  Object.assign(broker, { live: () => ({ value: { missing: true }, at: 1 }) });
  expect(stillRests(rest, grounds({ sensor: broker }), 200)).toBe(false);
});
