import * as z from "zod";
import { type BrokerEndpoint, BrokerError, type BrokerFacts } from "../ports.ts";
import type { ManagementApi } from "./http.ts";

const overview = z.object({
  rabbitmq_version: z.string(),
  exchange_types: z.array(z.object({ name: z.string() })).catch([]),
});
const flag = z.boolean().catch(false);
const nodesSchema = z.array(z.object({ name: z.string(), running: flag, mem_alarm: flag, disk_free_alarm: flag }));
const deprecatedSchema = z.array(z.object({ name: z.string() })).catch([]);
const clusterSchema = z.object({ value: z.string() });
const whoami = z.object({ tags: z.union([z.array(z.string()), z.string().transform((text) => text.split(","))]) });

/** What changes seldom, or is noticed by others as well: asked once per so many probes, or when the broker's version is another one. */
const SELDOM = 15;

interface Standing {
  readonly version: string;
  /** How many probes have used it. */
  readonly uses: number;
  readonly tags: readonly string[];
  readonly deprecated: readonly string[];
  readonly cluster?: string;
}

export interface Probe {
  /** The broker's version, what it offers and what it suffers from. Throws `BrokerError` when either door is closed to us. */
  look(): Promise<BrokerFacts>;
  /** Something that this user may do was refused, or it may be another broker that answers next: what is known is asked anew. */
  forget(): void;
}

/** @param connection asked only whether it is up */
export function createProbe(
  api: Pick<ManagementApi, "call">,
  connection: { readonly model: () => Promise<unknown> },
  { vhost }: Pick<BrokerEndpoint, "vhost">,
): Probe {
  let standing: Standing | undefined;
  const standingOf = async (version: string): Promise<Standing> => {
    if (standing?.version === version && standing.uses < SELDOM) return { ...standing, uses: standing.uses + 1 };
    const path = `/exchanges/${encodeURIComponent(vhost)}/amq.direct?columns=name`;
    const [mine, deprecated, cluster] = await Promise.all([
      api.call({ method: "GET", path: "/whoami" }),
      ifAllowed(api, "/deprecated-features/used"),
      ifAllowed(api, "/global-parameters/internal_cluster_id"),
      api.call({ method: "GET", path }).catch((error: unknown) => {
        if (!isFailure(error, "missing")) throw error;
        throw new BrokerError("vhost", "management", `the broker has no vhost ${vhost}`);
      }),
    ]);
    const id = clusterSchema.safeParse(cluster);
    const used = deprecatedSchema.parse(deprecated ?? []).map(({ name }) => name);
    const known = { version, uses: 1, tags: whoami.parse(mine).tags, deprecated: used.toSorted() };
    return { ...known, ...(id.success ? { cluster: id.data.value } : {}) };
  };
  const ask = async (): Promise<{ readonly facts: BrokerFacts; readonly known: Standing }> => {
    const about = overview.parse(await api.call({ method: "GET", path: "/overview?columns=rabbitmq_version,exchange_types.name" }));
    const [known, nodes] = await Promise.all([
      standingOf(about.rabbitmq_version),
      ifAllowed(api, "/nodes?columns=name,running,mem_alarm,disk_free_alarm"),
    ]);
    const { tags, deprecated, cluster } = known;
    const types = about.exchange_types.map(({ name }) => name).filter((name) => name.startsWith("x-") && !name.startsWith("x-federation"));
    const capabilities = [...(tags.includes("administrator") ? ["bulk"] : []), ...types.map((name) => `exchange:${name}`)];
    const facts = { version: about.rabbitmq_version, capabilities, deprecated, ...(cluster === undefined ? {} : { cluster }) };
    return { facts: { ...facts, ...nodesOf(nodesSchema.parse(nodes ?? [])) }, known };
  };

  return {
    async look() {
      // A wrong login is AMQP's first word; the management API's is the better one about a vhost.
      const [amqp, seen] = await Promise.allSettled([connection.model(), ask()]);
      standing = undefined;
      if (seen.status === "rejected" && isFailure(seen.reason, "vhost")) throw seen.reason;
      if (amqp.status === "rejected") throw amqp.reason;
      if (seen.status === "rejected") throw seen.reason;
      standing = seen.value.known;
      return seen.value.facts;
    },
    forget() {
      standing = undefined;
    },
  };
}

const isFailure = (error: unknown, ...failures: readonly BrokerError["failure"][]): boolean =>
  error instanceof BrokerError && failures.includes(error.failure);

/** What the user may not know, or an older broker does not, is unknown: no reason to refuse work. */
async function ifAllowed(api: Pick<ManagementApi, "call">, path: string): Promise<unknown> {
  try {
    return await api.call({ method: "GET", path });
  } catch (error) {
    if (isFailure(error, "forbidden", "login", "missing")) return undefined;
    throw error;
  }
}

const nodesOf = (list: z.output<typeof nodesSchema>): Pick<BrokerFacts, "nodes" | "alarms"> => ({
  nodes: list.map(({ name, running }) => ({ name, running })),
  alarms: list.flatMap((node) => [
    ...(node.mem_alarm ? [`memory on ${node.name}`] : []),
    ...(node.disk_free_alarm ? [`disk on ${node.name}`] : []),
  ]),
});
