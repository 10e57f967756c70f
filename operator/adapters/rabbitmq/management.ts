import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import {
  type BrokerEndpoint,
  type BrokerFacts,
  type BrokerObject,
  type Declared,
  type Destination,
  isSetting,
  type Part,
  type Snapshot,
  type Target,
  type TopologyPort,
} from "../ports.ts";
import { createBindingLists } from "./binding-lists.ts";
import { type BrokerConnection, openConnection } from "./connection.ts";
import { subscribeChanges } from "./events.ts";
import { createExport } from "./export.ts";
import { LIST_DEADLINE_MS, type ManagementApi, openManagement } from "./http.ts";
import { isCrash, orMissing } from "./http-failure.ts";
import { moveMessages } from "./move.ts";
import * as objects from "./objects.ts";
import { createProbe } from "./probe.ts";
import { assertEmpty, queueCounts } from "./queue-counts.ts";
import { queueFigures } from "./queue-figures.ts";
import { createSettings } from "./settings.ts";
import { isUnnameable, unbind } from "./unbind.ts";

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
  const settings = createSettings(api, vhost, endpoint.management.username);
  const probe = createProbe(api, connection, endpoint);
  const inVhost = encodeURIComponent(vhost);

  /** In one piece: for each page the broker gathers and sorts the whole list anew. */
  const listed = async <T>(path: string, schema: z.ZodType<T>): Promise<readonly T[]> =>
    z.array(schema).parse(await api.call({ method: "GET", path: `${path}&disable_stats=true`, deadlineMs: LIST_DEADLINE_MS }));
  const exchanges = (): Promise<readonly BrokerObject[]> =>
    listed(`/exchanges/${inVhost}?columns=name,type,durable,auto_delete,internal,arguments`, objects.exchangeSchema).then((list) =>
      list.map(objects.exchangeFrom),
    );
  const bindings = createBindingLists(api, vhost);
  const sourcesIn = (list: readonly BrokerObject[]): readonly string[] =>
    list.flatMap((object) => (object.type === "exchange" && object.name !== "" ? [object.name] : []));
  const byLists = async (): Promise<readonly BrokerObject[]> => {
    const queues = listed(`/queues/${inVhost}?columns=name,type,durable,auto_delete,exclusive,arguments`, objects.queueSchema).then(
      (list) => list.map(objects.queueFrom),
    );
    const exchangeList = exchanges();
    const destinations = async () =>
      (await Promise.all([queues, exchangeList]))
        .flat()
        .flatMap((object) => (isTarget(object) && object.name !== "" ? [{ type: object.type, name: object.name }] : []));
    const found = bindings.all(async () => sourcesIn(await exchangeList), destinations);
    return (await Promise.all([exchangeList, queues, found])).flat();
  };
  /**
   * Who may import may also export: one answer, without statistics, and without every queue's implicit binding. Of exchanges it leaves out the broker's
   * own, and since 4.3 internal ones.
   */
  const exported = createExport(api, vhost);
  // What answers on a new connection may be a broker that was made anew.
  const forget = (): void => {
    exported.forget();
    probe.forget();
  };
  const forgetting = connection.onUp(forget);
  let mayExport = false;
  const observe = async (parts: readonly Part[]): Promise<Snapshot> => {
    const settingParts = parts.filter((one) => one !== "topology");
    const others = async () => (await Promise.all(settingParts.map((one) => settings.list(one)))).flat();
    if (!mayExport || settingParts.length === parts.length) {
      return { objects: (await Promise.all([others(), ...(settingParts.length < parts.length ? [byLists()] : [])])).flat() };
    }
    try {
      const snapshot = await exported.observe(parts, async (rest) =>
        (await Promise.all(rest.map((one) => (one === "topology" ? exchanges() : settings.list(one))))).flat(),
      );
      bindings.clear();
      return snapshot;
    } catch (error) {
      if (!isCrash(error)) throw error;
      return { objects: (await Promise.all([others(), byLists()])).flat() };
    }
  };

  return {
    async probe(): Promise<BrokerFacts> {
      const facts = await probe.look();
      mayExport = facts.capabilities.includes("bulk");
      return facts;
    },
    async observe(parts): Promise<Snapshot> {
      try {
        return await observe(parts);
      } catch (error) {
        // It may be another broker that answers next, or another user that we are by then.
        forget();
        throw error;
      }
    },
    async read(target: Target) {
      if (target.type !== "queue" && target.type !== "exchange") {
        const found = await settings.read(target.type, target.name);
        return found === undefined ? [] : [found];
      }
      const path = objects.pathOf(vhost, target);
      const [object, into] = await Promise.all([
        orMissing(api.call({ method: "GET", path: `${path}?disable_stats=true` })),
        bindings.into({ type: target.type, name: target.name }, async () => sourcesIn(await exchanges())),
      ]);
      if (object === undefined) return [];
      const read = target.type === "queue" ? objects.queueFrom(objects.queueSchema.parse(object)) : undefined;
      return [read ?? objects.exchangeFrom(objects.exchangeSchema.parse(object)), ...into];
    },
    async declare(object) {
      if (isSetting(object)) return settings.declare(object);
      if (object.type === "binding") bindings.assertListable(object);
      const method = object.type === "binding" ? "POST" : "PUT";
      await api.call({ method, path: objects.pathOf(vhost, object), body: objects.bodyOf(object) });
    },
    async remove(object, { ifEmpty = false, ifDrained = false } = {}) {
      if (isSetting(object)) return settings.remove(object, ifEmpty);
      if (object.type === "binding" && isUnnameable(object)) return unbind(connection, object);
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
      forgetting[Symbol.dispose]();
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

const isTarget = (object: BrokerObject): object is Declared & Destination => object.type === "queue" || object.type === "exchange";

/** A binding is named by a key that the broker makes from its routing key and arguments: look it up. */
async function bindingPath(api: ManagementApi, vhost: string, binding: Declared): Promise<string | undefined> {
  const path = objects.pathOf(vhost, binding);
  const list = z.array(objects.bindingSchema).parse((await orMissing(api.call({ method: "GET", path }))) ?? []);
  const key = list.find((json) => isDeepStrictEqual(objects.bindingFrom(json), binding))?.properties_key;
  return key === undefined ? undefined : `${path}/${encodeURIComponent(key)}`;
}
