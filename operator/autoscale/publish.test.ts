import { expect, test } from "vitest";
import { createFakeClock } from "../../test/fakes/clock.ts";
import { createRecordingLog } from "../../test/fakes/log.ts";
import type { WorkerPool } from "../kinds/worker-pool/schema.ts";
import type { Run } from "./pool-runner.ts";
import { createPublisher } from "./publish.ts";

const pool = (name: string) =>
  ({ metadata: { name, namespace: "default" }, spec: { queues: ["q"], brokerRef: { name: "b" } } }) as unknown as WorkerPool;

const run = (replicas: number, ready: number, pending = false): Run =>
  ({
    sight: {
      observation: {
        ready: { value: ready, trust: "fresh" },
        inFlight: { value: 0, trust: "fresh" },
        total: { value: ready, trust: "fresh" },
        pods: [],
        missingQueues: [],
        alarms: [],
        doubts: [],
      },
      pods: [],
      rates: { fast: 0, slow: 0, serviceSeconds: undefined },
    },
    decision: { replicas, reason: "BacklogThreshold", message: `backlog ${ready}`, held: false, act: true },
    next: { words: "nothing" },
    draining: 0,
    lastScaleTime: undefined,
    pending,
    acted: Promise.resolve(),
  }) as unknown as Run;

/** Publishes runs of the first of so many pools, a second after one another; says after which of them its status was written. */
async function written(pools: number, runs: readonly Run[]): Promise<readonly number[]> {
  const clock = createFakeClock();
  const writes: string[] = [];
  const status = { write: async (_: unknown, { metadata }: { metadata: { name: string } }) => writes.push(metadata.name) > 0 };
  const publisher = createPublisher({ status, outcomeOf: () => undefined, clock, log: createRecordingLog() });
  for (let index = 1; index < pools; index += 1) publisher.publish(pool(`other-${index}`), undefined, [], run(0, 0));
  const at: number[] = [];
  for (const [second, one] of runs.entries()) {
    const before = writes.length;
    publisher.publish(pool("first"), undefined, [], one);
    await publisher.settled();
    if (writes.slice(before).includes("first")) at.push(second);
    await clock.advance(1_000);
  }
  return at;
}

const FIGURES = Array.from({ length: 12 }, (_, second) => run(3, 100 - second));

test("figures of a few pools are written every second", async () => {
  expect(await written(5, FIGURES)).toEqual([...FIGURES.keys()]);
});

test("figures of a thousand pools are written every ten seconds", async () => {
  expect(await written(1_000, FIGURES)).toEqual([0, 10]);
});

test("what is decided is written at once, however many pools there are", async () => {
  expect(await written(1_000, [run(0, 0), run(3, 100), run(3, 90), run(2, 80)])).toEqual([0, 1, 3]);
});

test("while a burst is watched nothing is written", async () => {
  expect(await written(5, [run(0, 0), run(3, 100, true), run(3, 150)])).toEqual([0, 2]);
});
