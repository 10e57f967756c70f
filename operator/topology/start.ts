import type { BrokerEndpoint, KubePort, TopologyPort } from "../adapters/ports.ts";
import type { Broker } from "../kinds/broker/schema.ts";
import type { Cache } from "../runtime/cache/cache.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { ObjectKey } from "../runtime/object.ts";
import type { SecretReader } from "../runtime/secrets.ts";
import type { EventRecorder } from "../runtime/truth/events.ts";
import type { StatusWriter } from "../runtime/truth/status.ts";
import { createActor } from "./actor.ts";
import { createEndpoints, type Endpoints, isEndpoint } from "./endpoints.ts";
import { createLink, type Link, type LinkOptions } from "./link.ts";
import { type ActorLoop, startLoop } from "./loop.ts";
import { createMaterials } from "./materials.ts";
import { createMembers, type Member, type TopologyCache } from "./members.ts";
import type { TopologyMetrics } from "./metrics.ts";
import { createReporter } from "./reporter.ts";
import { isServerWide } from "./situation.ts";
import { mayUse } from "./standstill.ts";

export interface TopologyOptions {
  readonly brokers: Cache<Broker>;
  readonly objects: readonly TopologyCache[];
  readonly kube: Pick<KubePort, "patch" | "create">;
  readonly secrets: SecretReader;
  readonly status: StatusWriter;
  readonly events: EventRecorder;
  /** A port of its own for each call; it is disposed of here. */
  readonly connect: (endpoint: BrokerEndpoint) => TopologyPort;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: () => number;
  readonly metrics: TopologyMetrics;
}

export interface Topology extends AsyncDisposable {
  /** Where each Broker leads: for whoever else talks to brokers. */
  readonly endpoints: Endpoints;
}

interface Running {
  readonly loop: ActorLoop;
  readonly link: Link;
}

/**
 * Makes brokers match the objects of all kinds of topology, and keeps them so, until disposed of: one actor per Broker object, or per name of one that is
 * referred to and does not exist. Starts only when the caches are full: an absent object must be absent. Rejects with the signal's reason.
 */
export async function startTopology(options: TopologyOptions, signal: AbortSignal): Promise<Topology> {
  const { brokers, objects, secrets, connect, clock, random } = options;
  await Promise.all([brokers, ...objects.map(({ cache }) => cache)].map((cache) => cache.synced(signal)));
  const log = options.log.child({ part: "topology" });
  const reporter = createReporter({ ...options, log });
  const endpoints = createEndpoints();
  const actors = new Map<ObjectKey, Running>();
  const ending = new Set<Promise<void>>();

  const sharing = (key: ObjectKey, level: "vhost" | "server"): readonly ObjectKey[] => {
    const [namespace = "", name = ""] = key.split("/");
    const endpoint = endpoints.endpointOf(namespace, name);
    return isEndpoint(endpoint) ? endpoints.sharing(endpoint, level).filter((other) => other !== key) : [];
  };
  const admitted = (key: ObjectKey): readonly Member[] => members.of(key).filter((member) => mayUse(brokers.get(key), key, member));
  /** Through other Broker objects: to the same vhost all, to another vhost of the same broker those of what stands beside vhosts. */
  const rivalsOf = (key: ObjectKey): readonly Member[] => {
    const [near, far] = [sharing(key, "vhost"), sharing(key, "server")];
    const beside = far.filter((other) => !near.includes(other)).flatMap((other) => admitted(other).filter(({ id }) => isServerWide(id)));
    return [...near.flatMap(admitted), ...beside];
  };

  const begin = (key: ObjectKey): Running => {
    const wake = (): void => actors.get(key)?.loop.wake();
    const recognised = (at: BrokerEndpoint, cluster: string): void => {
      // Those that lead there by another name have rivals from now on.
      if (endpoints.recognise(at, cluster)) for (const other of sharing(key, "server")) actors.get(other)?.loop.wake();
    };
    const located: LinkOptions["located"] = (to) => {
      endpoints.set(key, to);
      // What it was before a restart, so that nobody takes what a rival has before the first probe.
      const cluster = brokers.get(key)?.status?.clusterId;
      if (isEndpoint(to) && cluster !== undefined) recognised(to, cluster);
    };
    const link = createLink({ secrets, connect, clock, random, wake, located, recognised });
    const actor = createActor({
      ...options,
      log,
      key,
      link,
      reporter,
      brokerResource: brokers.resource,
      broker: () => brokers.get(key),
      members: () => members.of(key),
      member: (id) => members.get(key, id),
      rivals: () => rivalsOf(key),
    });
    return { link, loop: startLoop(actor, clock, () => endUnless(key)) };
  };
  const end = async ({ loop, link }: Running): Promise<void> => {
    await loop[Symbol.asyncDispose]();
    await link[Symbol.asyncDispose]();
  };
  /** Nobody speaks of this broker any more. */
  const endUnless = (key: ObjectKey): void => {
    const actor = actors.get(key);
    if (actor === undefined || brokers.get(key) !== undefined) return;
    endpoints.delete(key);
    if (members.of(key).length > 0) return;
    actors.delete(key);
    const ended: Promise<void> = end(actor).finally(() => ending.delete(ended));
    ending.add(ended);
  };
  const wake = (key: ObjectKey, id?: string): void => {
    const actor = actors.get(key);
    if (actor === undefined) actors.set(key, begin(key));
    else actor.loop.wake(id);
    if (id !== undefined) for (const other of sharing(key, isServerWide(id) ? "server" : "vhost")) actors.get(other)?.loop.wake();
  };

  // Told of what is there already while `members` is being made: nothing runs before this function has returned.
  const early: [ObjectKey, string][] = [];
  let tell = (key: ObjectKey, id: string): void => void early.push([key, id]);
  const materials = createMaterials({ ...options, log });
  const members = createMembers(
    objects,
    materials,
    (key, id) => tell(key, id),
    (object) => reporter.stands(object),
  );
  tell = wake;
  for (const [key, id] of early.splice(0)) wake(key, id);
  const subscription = brokers.subscribe(({ key }) => wake(key));

  return {
    endpoints,
    async [Symbol.asyncDispose]() {
      subscription[Symbol.dispose]();
      members[Symbol.dispose]();
      materials[Symbol.dispose]();
      await Promise.all([...ending, ...[...actors.values()].map(end)]);
      actors.clear();
    },
  };
}
