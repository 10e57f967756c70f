import * as z from "zod";
import { type BrokerEndpoint, BrokerError, type BrokerFacts } from "../ports.ts";
import type { BrokerConnection } from "./connection.ts";
import type { ManagementApi } from "./http.ts";

const overview = z.object({
  rabbitmq_version: z.string(),
  exchange_types: z.array(z.object({ name: z.string() })).catch([]),
});
const nodes = z.array(z.object({ name: z.string(), mem_alarm: z.boolean().catch(false), disk_free_alarm: z.boolean().catch(false) }));
const whoami = z.object({ tags: z.union([z.array(z.string()), z.string().transform((text) => text.split(","))]) });

/** The broker's version, what it offers and what it suffers from. Throws `BrokerError` when either door is closed to us. */
export async function probeBroker(api: ManagementApi, connection: BrokerConnection, { vhost }: BrokerEndpoint): Promise<BrokerFacts> {
  // A wrong login is AMQP's first word; the management API's is the better one about a vhost.
  const [amqp, seen] = await Promise.allSettled([connection.model(), look(api, vhost)]);
  if (seen.status === "rejected" && isFailure(seen.reason, "vhost")) throw seen.reason;
  if (amqp.status === "rejected") throw amqp.reason;
  if (seen.status === "rejected") throw seen.reason;
  return seen.value;
}

const isFailure = (error: unknown, failure: BrokerError["failure"]): boolean => error instanceof BrokerError && error.failure === failure;

async function look(api: ManagementApi, vhost: string): Promise<BrokerFacts> {
  const about = overview.parse(await api.call({ method: "GET", path: "/overview?columns=rabbitmq_version,exchange_types.name" }));
  const path = `/exchanges/${encodeURIComponent(vhost)}/amq.direct?columns=name`;
  const [mine, alarms] = await Promise.all([
    api.call({ method: "GET", path: "/whoami" }),
    alarmsOf(api),
    api.call({ method: "GET", path }).catch((error: unknown) => {
      if (!isFailure(error, "missing")) throw error;
      throw new BrokerError("vhost", "management", `the broker has no vhost ${vhost}`);
    }),
  ]);
  const { tags } = whoami.parse(mine);
  const types = about.exchange_types.map(({ name }) => name).filter((name) => name.startsWith("x-") && !name.startsWith("x-federation"));
  const capabilities = [...(tags.includes("administrator") ? ["bulk"] : []), ...types.map((name) => `exchange:${name}`)];
  return { version: about.rabbitmq_version, capabilities, alarms };
}

/** Needs the tag monitoring; without it the alarms are unknown, which is no reason to refuse work. */
async function alarmsOf(api: ManagementApi): Promise<readonly string[]> {
  try {
    const list = nodes.parse(await api.call({ method: "GET", path: "/nodes?columns=name,mem_alarm,disk_free_alarm" }));
    return list.flatMap((node) => [
      ...(node.mem_alarm ? [`memory on ${node.name}`] : []),
      ...(node.disk_free_alarm ? [`disk on ${node.name}`] : []),
    ]);
  } catch (error) {
    if (isFailure(error, "forbidden") || isFailure(error, "login")) return [];
    throw error;
  }
}
