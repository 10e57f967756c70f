import type { ChannelModel } from "amqplib";
import * as z from "zod";
import type { QueueTotals, SensePort } from "../ports.ts";
import { passiveDeclares } from "./passive-declare.ts";
import { ALARMS_PATH, alarmsFrom, parseSamples, TOTALS_PATH, totalsFrom } from "./prometheus.ts";

export interface SenseOptions {
  /** The broker's live connection, shared with others; rejects while there is none. */
  readonly connection: () => Promise<ChannelModel>;
  /**
   * The management API's answer to a GET, parsed; throws when there is none, or one of a status that is neither a success nor among `statuses`.
   * `path` begins with `/api`.
   */
  readonly get: (path: string, statuses?: readonly number[]) => Promise<unknown>;
  /** A page of the Prometheus plugin; throws when there is none. */
  readonly scrape: (path: string) => Promise<string>;
  readonly vhost: string;
}

const queuesSchema = z.array(
  z.looseObject({
    name: z.string(),
    type: z.string().optional(),
    exclusive: z.boolean().nullish(),
    /** Absent while the node has no figures of the queue, as after its start; for a stream always. */
    messages_ready: z.number().nullish(),
    messages_unacknowledged: z.number().nullish(),
  }),
);
/** Alarms that hold publishers; another one is of file descriptors. */
const BLOCKING: ReadonlySet<string> = new Set(["memory", "disk"]);
const alarmsSchema = z.looseObject({
  status: z.enum(["ok", "failed"]),
  alarms: z.array(z.looseObject({ node: z.string(), resource: z.string() })).default([]),
});
const channelsSchema = z.array(
  z.looseObject({
    /** Absent until the channel has told its figures for the first time. */
    messages_unacknowledged: z.number().nullish(),
    /** An empty list while the channel is new: it must not hide what the others hold. */
    connection_details: z.looseObject({ peer_host: z.string().optional() }).optional().catch(undefined),
  }),
);

/** Senses one vhost: live counts by AMQP, the rest by the management API. Keeps no reading: the caller knows what is old. Disposing of it leaves the connection open. */
export function createSense({ connection, get, scrape, vhost }: SenseOptions): SensePort {
  const declares = passiveDeclares(connection);
  const path = encodeURIComponent(vhost);

  const managed = async (): ReturnType<SensePort["totals"]> => {
    const query = "disable_stats=true&enable_queue_totals=true&columns=name,type,exclusive,messages_ready,messages_unacknowledged";
    const queues = queuesSchema.parse(await get(`/api/queues/${path}?${query}`));
    const open = queues.filter(({ exclusive }) => exclusive !== true);
    const counted = open.filter(({ type, messages_ready }) => type === "stream" || typeof messages_ready === "number");
    const totals = counted.map(({ name, type, messages_ready: ready, messages_unacknowledged: unacked }): [string, QueueTotals] => [
      name,
      { ready: ready ?? 0, unacked: unacked ?? 0, type: typeOf(type) },
    ]);
    return { queues: new Map(totals), names: open.map(({ name }) => name) };
  };
  const scraped = async (): Promise<ReadonlyMap<string, QueueTotals>> => totalsFrom(parseSamples(await scrape(TOTALS_PATH)), vhost);
  /** A health check, for it is live: the list of nodes is up to 5 s old. It answers 503 while there is an alarm. */
  const managedAlarms = async (): Promise<readonly string[]> => {
    const { alarms } = alarmsSchema.parse(await get("/api/health/checks/alarms", [503]));
    return alarms.flatMap(({ node, resource }) => (BLOCKING.has(resource) ? [`${resource} alarm on ${node}`] : []));
  };
  const withLags = async (totals: ReadonlyMap<string, QueueTotals>): Promise<ReadonlyMap<string, QueueTotals>> => {
    try {
      const lags = await scraped();
      return new Map([...totals].map(([queue, of]) => [queue, { ...lagOf(lags.get(queue)), ...of }]));
    } catch {
      return totals; // Without the plugin the lag is unknown, and whoever reads a stream is told so.
    }
  };

  return {
    readyCounts: (queues) => declares.count(queues),
    async totals() {
      const { queues, ...names } = await orElse(managed, async () => ({ queues: await scraped() }));
      const lagging = [...queues.values()].some(({ type, lag }) => type === "stream" && lag === undefined);
      return { queues: lagging ? await withLags(queues) : queues, ...names };
    },
    async unackedByPeer() {
      const query = "columns=messages_unacknowledged,connection_details.peer_host";
      const channels = channelsSchema.parse(await get(`/api/vhosts/${path}/channels?${query}`));
      const byPeer = new Map<string, number>();
      for (const { messages_unacknowledged: unacked, connection_details: of } of channels) {
        if (of?.peer_host !== undefined) byPeer.set(of.peer_host, (byPeer.get(of.peer_host) ?? 0) + (unacked ?? Number.NaN));
      }
      return new Map([...byPeer].filter(([, unacked]) => !Number.isNaN(unacked)));
    },
    alarms: () => orElse(managedAlarms, async () => alarmsFrom(parseSamples(await scrape(ALARMS_PATH)))),
    async [Symbol.asyncDispose]() {
      // The channels go with the connection, which belongs to whoever opened it.
    },
  };
}
const lagOf = (of: QueueTotals | undefined): { readonly lag?: number } => (of?.lag === undefined ? {} : { lag: of.lag });

/** The second door where the first is closed; when both are, the first one's error says more. */
async function orElse<T>(first: () => Promise<T>, second: () => Promise<T>): Promise<T> {
  try {
    return await first();
  } catch (error) {
    try {
      return await second();
    } catch {
      throw error;
    }
  }
}

const typeOf = (type: string | undefined): QueueTotals["type"] =>
  type === "classic" || type === "quorum" || type === "stream" ? type : "other";
