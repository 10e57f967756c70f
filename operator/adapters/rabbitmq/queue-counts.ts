import * as z from "zod";
import { BrokerError } from "../ports.ts";
import type { BrokerConnection } from "./connection.ts";
import { amqpError } from "./errors.ts";
import type { ManagementApi } from "./http.ts";
import { orMissing } from "./http-failure.ts";
import { pathOf } from "./objects.ts";

const totals = z.object({ messages: z.number().catch(0) });

interface Counts {
  /** Ready and unacked. */
  readonly messages: number;
  readonly consumers: number;
}

/** Of a queue; undefined where there is none. The API's counts are up to 5 s old for quorum queues: a passive declare, which is live, has its say. */
export async function queueCounts(
  api: ManagementApi,
  connection: BrokerConnection,
  vhost: string,
  name: string,
): Promise<Counts | undefined> {
  const path = `${pathOf(vhost, { type: "queue", name })}?disable_stats=true&enable_queue_totals=true`;
  const [counted, live] = await Promise.all([orMissing(api.call({ method: "GET", path })), readyCount(connection, name)]);
  if (counted === undefined || live === undefined) return undefined;
  return { messages: Math.max(totals.parse(counted).messages, live.messageCount), consumers: live.consumerCount };
}

/** Quorum queues know no if-empty. Throws `not-empty` with what it holds. */
export async function assertEmpty(
  api: ManagementApi,
  connection: BrokerConnection,
  vhost: string,
  name: string,
  { evenIfUsed }: { readonly evenIfUsed: boolean },
): Promise<void> {
  const { messages = 0, consumers = 0 } = (await queueCounts(api, connection, vhost, name)) ?? {};
  const inTheWay = evenIfUsed ? 0 : consumers;
  if (messages === 0 && inTheWay === 0) return;
  const holds = [messages > 0 ? counting(messages, "message") : "", inTheWay > 0 ? counting(inTheWay, "consumer") : ""];
  throw new BrokerError("not-empty", "amqp", `queue ${name} has ${holds.filter((text) => text !== "").join(" and ")}`);
}

const counting = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

async function readyCount(
  connection: BrokerConnection,
  name: string,
): Promise<{ messageCount: number; consumerCount: number } | undefined> {
  const model = await connection.model();
  const channel = await model.createChannel().catch((error: unknown) => {
    throw amqpError(error, "open a channel");
  });
  channel.on("error", () => undefined); // The same error rejects the call below.
  try {
    const counts = await channel.checkQueue(name);
    await channel.close();
    return counts;
  } catch (error) {
    const failure = amqpError(error, `look at queue ${name}`);
    if (failure.failure === "missing") return undefined;
    throw failure;
  }
}
