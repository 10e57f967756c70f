import * as z from "zod";
import type { Arguments, QueueFigures } from "../ports.ts";
import { LIST_DEADLINE_MS, type ManagementApi } from "./http.ts";
import { argumentTable } from "./objects.ts";

const COLUMNS = "name,messages_ready,messages_unacknowledged,consumers,state,policy,operator_policy,effective_policy_definition";

/** null and, of older brokers, an empty text or list stand for what is not there. */
const count = z.number().optional().catch(undefined);
const name = z.string().min(1).optional().catch(undefined);
const rowSchema = z.object({
  name: z.string(),
  messages_ready: count,
  messages_unacknowledged: count,
  consumers: count,
  state: name,
  policy: name,
  operator_policy: name,
  effective_policy_definition: argumentTable,
});

/** What the broker counts of all queues of a vhost, in one request. Throws `BrokerError`; `ZodError` when the answer is no list of queues. */
export async function queueFigures(
  api: ManagementApi,
  vhost: string,
  { consumers }: { readonly consumers: boolean },
): Promise<ReadonlyMap<string, QueueFigures>> {
  const stats = consumers ? "" : "disable_stats=true&enable_queue_totals=true&";
  const path = `/queues/${encodeURIComponent(vhost)}?${stats}columns=${COLUMNS}`;
  const rows = z.array(rowSchema).parse(await api.call({ method: "GET", path, deadlineMs: LIST_DEADLINE_MS }));
  return new Map(rows.map((row) => [row.name, figuresOf(row)]));
}

const figuresOf = (row: z.output<typeof rowSchema>): QueueFigures => ({
  ...defined("ready", row.messages_ready),
  ...defined("unacked", row.messages_unacknowledged),
  ...defined("consumers", row.consumers),
  ...defined("state", row.state),
  ...defined("policy", row.policy),
  ...defined("operatorPolicy", row.operator_policy),
  ...(Object.keys(row.effective_policy_definition).length === 0 ? {} : { definition: inOrder(row.effective_policy_definition) }),
});

const defined = <K extends string, V>(key: K, value: V | undefined): { readonly [k in K]?: V } =>
  (value === undefined ? {} : { [key]: value }) as { readonly [k in K]?: V };

const inOrder = (table: Arguments): Arguments => Object.fromEntries(Object.entries(table).toSorted(([a], [b]) => (a < b ? -1 : 1)));
