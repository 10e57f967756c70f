import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { everyReplica } from "../../manifests/examples/schedules/every-replica.ts";
import { redis } from "../cluster/cluster.ts";

test("the example of a scheduler in every replica: three of them, one effect per period", async () => {
  const { uri } = await redis();
  const stop = new AbortController();
  const done: number[] = [];
  const enough = Promise.withResolvers<void>();
  const work = async (due: Date): Promise<void> => {
    done.push(due.getTime());
    if (done.length === 4) enough.resolve();
  };
  const options = { url: uri, name: `every-replica-${randomUUID()}`, periodMs: 200, signal: stop.signal };
  const replicas = [1, 2, 3].map(() => everyReplica(options, work));
  await Promise.race([enough.promise, ...replicas]);
  stop.abort();
  await Promise.all(replicas);
  expect(done.length).toBeGreaterThanOrEqual(4);
  expect(new Set(done).size).toBe(done.length);
});
