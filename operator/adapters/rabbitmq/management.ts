import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import {
  type BrokerEndpoint,
  BrokerError,
  type BrokerFacts,
  type BrokerObject,
  type Declared,
  isSetting,
  type Part,
  type Snapshot,
  type Target,
  type TopologyPort,
} from "../ports.ts";
import { type BrokerConnection, openConnection } from "./connection.ts";
import { subscribeChanges } from "./events.ts";
import { type ManagementApi, openManagement } from "./http.ts";
import { orMissing } from "./http-failure.ts";
import { moveMessages } from "./move.ts";
import * as objects from "./objects.ts";
import { createProbe } from "./probe.ts";
import { assertEmpty, queueCounts } from "./queue-counts.ts";
import { queueFigures } from "./queue-figures.ts";
import { createSettings } from "./settings.ts";

const OBSERVE_DEADLINE_MS = 30_000;
const BULK_DEADLINE_MS = 120_000;

interface TopologyOptions {
  readonly connection: BrokerConnection;
  /** In [0, 1). */
  readonly random: () => number;
}

/**
 * Topology by RabbitMQ's management API, 3.10 to 4.3; AMQP only where the API has no live answer: events, and whether a queue is empty.
 * Uses `connection` but leaves it to its owner.
 */
function openTopology(endpoint: BrokerEndpoint, { connection, random }: TopologyOptions): TopologyPort {
  const api = openManagement(endpoint);
  const { vhost } = endpoint;
  const settings = createSettings(api, vhost);
  const probe = createProbe(api, connection, endpoint);
  const inVhost = encodeURIComponent(vhost);

  /** In one piece: for each page the broker gathers and sorts the whole list anew. */
  const listed = async <T>(path: string, schema: z.ZodType<T>): Promise<readonly T[]> =>
    z.array(schema).parse(await api.call({ method: "GET", path: `${path}&disable_stats=true`, deadlineMs: OBSERVE_DEADLINE_MS }));
  const bindingsAt = async (path: string): Promise<readonly BrokerObject[]> => {
    const list = z.array(objects.bindingSchema).parse(await api.call({ method: "GET", path, deadlineMs: OBSERVE_DEADLINE_MS }));
    return list.map(objects.bindingFrom).filter((binding) => !objects.isImplicit(binding));
  };

  const exchanges = (): Promise<readonly BrokerObject[]> =>
    listed(`/exchanges/${inVhost}?columns=name,type,durable,auto_delete,internal,arguments`, objects.exchangeSchema).then((list) =>
      list.map(objects.exchangeFrom),
    );
  /**
   * Who may import may also export: one answer, without statistics, and without every queue's implicit binding. Of exchanges it leaves out the broker's
   * own, and since 4.3 internal ones.
   */
  let mayExport = false;
  const queuesAndBindings = async (): Promise<readonly BrokerObject[]> => {
    if (mayExport) {
      return objects.definedIn(await api.call({ method: "GET", path: `/definitions/${inVhost}`, deadlineMs: OBSERVE_DEADLINE_MS }));
    }
    const [queues, bindings] = await Promise.all([
      listed(`/queues/${inVhost}?columns=name,type,durable,auto_delete,exclusive,arguments`, objects.queueSchema),
      bindingsAt(`/bindings/${inVhost}?columns=source,destination,destination_type,routing_key,arguments`),
    ]);
    return [...queues.map(objects.queueFrom), ...bindings];
  };
  const observeTopology = async (): Promise<readonly BrokerObject[]> => (await Promise.all([exchanges(), queuesAndBindings()])).flat();
  const observePart = async (one: Part): Promise<readonly BrokerObject[]> => (one === "topology" ? observeTopology() : settings.list(one));

  return {
    async probe(): Promise<BrokerFacts> {
      const facts = await probe.look();
      mayExport = facts.capabilities.includes("bulk");
      return facts;
    },
    async observe(parts): Promise<Snapshot> {
      return { objects: (await Promise.all(parts.map(observePart))).flat() };
    },
    async read(target: Target) {
      if (target.type !== "queue" && target.type !== "exchange") {
        const found = await settings.read(target.type, target.name);
        return found === undefined ? [] : [found];
      }
      const path = objects.pathOf(vhost, target);
      const [object, bindings] = await Promise.all([
        orMissing(api.call({ method: "GET", path: `${path}?disable_stats=true` })),
        orMissing(bindingsAt(objects.bindingsPathOf(vhost, target))),
      ]);
      if (object === undefined) return [];
      const read = target.type === "queue" ? objects.queueFrom(objects.queueSchema.parse(object)) : undefined;
      return [read ?? objects.exchangeFrom(objects.exchangeSchema.parse(object)), ...(bindings ?? [])];
    },
    async declare(object) {
      if (isSetting(object)) return settings.declare(object);
      assertListable(object);
      const method = object.type === "binding" ? "POST" : "PUT";
      await api.call({ method, path: objects.pathOf(vhost, object), body: objects.bodyOf(object) });
    },
    async remove(object, { ifEmpty = false, ifDrained = false } = {}) {
      if (isSetting(object)) return settings.remove(object, ifEmpty);
      const queue = object.type === "queue" ? object : undefined;
      if (queue !== undefined && (ifEmpty || ifDrained)) await assertEmpty(api, connection, vhost, queue.name, { evenIfUsed: ifDrained });
      const path = object.type === "binding" ? await bindingPath(api, vhost, object) : objects.pathOf(vhost, object);
      // A classic queue is asked by the broker itself once more; others do not know the question.
      const ifUnused = ifEmpty && object.type === "exchange" ? "?if-unused=true" : "";
      const query = (ifEmpty || ifDrained) && queue?.kind === "classic" ? "?if-empty=true" : ifUnused;
      if (path !== undefined) await orMissing(api.call({ method: "DELETE", path: `${path}${query}` }));
    },
    async bulk(all) {
      const declared = all.filter((object) => !isSetting(object));
      const rows = (type: BrokerObject["type"]) => declared.filter((object) => object.type === type).map(objects.rowOf);
      const body = { exchanges: rows("exchange"), queues: rows("queue"), bindings: rows("binding") };
      await api.call({ method: "POST", path: `/definitions/${inVhost}`, body, deadlineMs: BULK_DEADLINE_MS });
    },
    messages: async (queue) => (await queueCounts(api, connection, vhost, queue))?.messages ?? 0,
    figures: (options) => queueFigures(api, vhost, options),
    move: (from, to, limit) => moveMessages(connection, from, to, limit),
    changes: (onChange) => subscribeChanges(endpoint, random, onChange),
    async [Symbol.asyncDispose]() {
      api[Symbol.dispose]();
    },
  };
}

/** As `openTopology`, with a connection of its own, which ends with it. */
export function connectTopology(endpoint: BrokerEndpoint, { random }: { readonly random: () => number }): TopologyPort {
  const connection = openConnection(endpoint, { name: "longshore-operator topology", random });
  const port = openTopology(endpoint, { connection, random });
  return {
    ...port,
    async [Symbol.asyncDispose]() {
      await port[Symbol.asyncDispose]();
      await connection[Symbol.asyncDispose]();
    },
  };
}

/**
 * A binding with arguments and `~` in its routing key makes every later list of bindings fail with HTTP 500, seen on 4.0.5:
 * the API cannot build its key. It must not get there through us.
 */
function assertListable(object: BrokerObject): void {
  if (object.type !== "binding" || !object.routingKey.includes("~") || Object.keys(object.arguments).length === 0) return;
  const why = "RabbitMQ's management API cannot list a binding that has arguments and ~ in its routing key";
  throw new BrokerError("invalid", "management", `routingKey ${object.routingKey}: ${why}; take either of them away`);
}

/** A binding is named by a key that the broker makes from its routing key and arguments: look it up. */
async function bindingPath(api: ManagementApi, vhost: string, binding: Declared): Promise<string | undefined> {
  const path = objects.pathOf(vhost, binding);
  const list = z.array(objects.bindingSchema).parse((await orMissing(api.call({ method: "GET", path }))) ?? []);
  const key = list.find((json) => isDeepStrictEqual(objects.bindingFrom(json), binding))?.properties_key;
  return key === undefined ? undefined : `${path}/${encodeURIComponent(key)}`;
}
