import { setTimeout as delay } from "node:timers/promises";
import type { Cluster } from "../../cluster/cluster.ts";

/** The broker's statistics are at most this old, ms. */
const STATISTICS_MS = 6_000;

/** How many deliveries of these queues the broker itself counts as repeated. */
export async function redeliveries(cluster: Cluster, queues: readonly string[]): Promise<number> {
  await delay(STATISTICS_MS);
  const { username, password, managementUri } = cluster.broker;
  const headers = { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` };
  const counts = await Promise.all(
    queues.map(async (queue) => {
      const answer = await fetch(`${managementUri}/api/queues/%2F/${queue}`, { headers });
      if (!answer.ok) throw new Error(`the management API answered ${answer.status} for queue ${queue}`);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the management API's own answer
      const { message_stats: stats } = (await answer.json()) as { message_stats?: { redeliver?: number } };
      return stats?.redeliver ?? 0;
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}
