import type { ChannelModel } from "amqplib";
import * as z from "zod";
import type { QueueTotals, SensePort } from "../ports.ts";
import { passiveDeclares } from "./passive-declare.ts";

export interface SenseOptions {
  /** The broker's live connection, shared with others; rejects while there is none. */
  readonly connection: () => Promise<ChannelModel>;
  /** The management API's answer to a GET, parsed; throws when there is none. `path` begins with `/api`. */
  readonly get: (path: string) => Promise<unknown>;
  readonly vhost: string;
}

const queuesSchema = z.array(
  z.looseObject({
    name: z.string(),
    type: z.string().optional(),
    messages_ready: z.number().default(0),
    messages_unacknowledged: z.number().default(0),
  }),
);
const nodesSchema = z.array(
  z.looseObject({ name: z.string(), mem_alarm: z.boolean().default(false), disk_free_alarm: z.boolean().default(false) }),
);
const channelsSchema = z.array(
  z.looseObject({
    messages_unacknowledged: z.number().default(0),
    connection_details: z.looseObject({ peer_host: z.string().optional() }).optional(),
  }),
);

/** Senses one vhost: live counts by AMQP, the rest by the management API. Keeps no reading: the caller knows what is old. Disposing of it leaves the connection open. */
export function createSense({ connection, get, vhost }: SenseOptions): SensePort {
  const declares = passiveDeclares(connection);
  const path = encodeURIComponent(vhost);
  return {
    readyCounts: (queues) => declares.count(queues),
    async totals() {
      const query = "disable_stats=true&enable_queue_totals=true&columns=name,type,messages_ready,messages_unacknowledged";
      const queues = queuesSchema.parse(await get(`/api/queues/${path}?${query}`));
      return new Map(
        queues.map((queue): [string, QueueTotals] => [
          queue.name,
          { ready: queue.messages_ready, unacked: queue.messages_unacknowledged, type: typeOf(queue.type) },
        ]),
      );
    },
    async unackedByPeer() {
      const query = "columns=messages_unacknowledged,connection_details.peer_host";
      const channels = channelsSchema.parse(await get(`/api/vhosts/${path}/channels?${query}`));
      const byPeer = new Map<string, number>();
      for (const { messages_unacknowledged: unacked, connection_details: of } of channels) {
        if (of?.peer_host !== undefined) byPeer.set(of.peer_host, (byPeer.get(of.peer_host) ?? 0) + unacked);
      }
      return byPeer;
    },
    async alarms() {
      const nodes = nodesSchema.parse(await get("/api/nodes?columns=name,mem_alarm,disk_free_alarm"));
      return nodes.flatMap(({ name, mem_alarm: memory, disk_free_alarm: disk }) => [
        ...(memory ? [`memory alarm on ${name}`] : []),
        ...(disk ? [`disk alarm on ${name}`] : []),
      ]);
    },
    async [Symbol.asyncDispose]() {
      // The channels go with the connection, which belongs to whoever opened it.
    },
  };
}

const typeOf = (type: string | undefined): QueueTotals["type"] =>
  type === "classic" || type === "quorum" || type === "stream" ? type : "other";
