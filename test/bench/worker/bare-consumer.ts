import { randomUUID } from "node:crypto";
import { type ConsumeMessage, connect } from "amqplib";
import { connectRedis } from "../../../worker/adapters/redis.ts";
import { openLeases } from "../../../worker/leases/leases.ts";
import { encodeResult, resultKey } from "../../../worker/protocol/result.ts";

/**
 * The program that sets the ceiling: consumes a queue and acknowledges each message. With a Redis it takes a lease and stores a result with the
 * worker's own scripts before that: what any worker that keeps these promises must do, and nothing else. Arguments: URL, queue, prefetch, Redis.
 */
const [url = "", queue = "", prefetch = "1", redisUrl] = process.argv.slice(2);
const channel = await (await connect(url)).createChannel();
const leases = redisUrl === undefined ? undefined : openLeases(connectRedis({ url: redisUrl, name: "bare", onChange: () => {} }));

async function leased(message: ConsumeMessage): Promise<void> {
  const id = String(message.properties.correlationId);
  const request = { key: `task:${id}`, owner: randomUUID(), fingerprint: "", mode: "at-most-once", attempt: 0, taskId: id } as const;
  const begun = await leases?.begin(request);
  if (begun?.kind !== "held") throw new Error(`no lease: ${begun?.kind}`);
  const result = encodeResult({ id, state: "SUCCESS", result: null, dateDone: Date.now() });
  await leases?.commit(begun.lease, { result, resultKey: resultKey(id), out: "" });
  channel.ack(message);
}

await channel.prefetch(Number(prefetch));
await channel.consume(queue, (message) => {
  if (message === null) return;
  if (leases === undefined) channel.ack(message);
  else void leased(message);
});
