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
import { createLink, type Link } from "./link.ts";
import { type ActorLoop, startLoop } from "./loop.ts";
import { createMembers, type TopologyCaches } from "./members.ts";
import type { TopologyMetrics } from "./metrics.ts";
import { createReporter } from "./reporter.ts";

export interface TopologyOptions {
  readonly caches: TopologyCaches & { readonly brokers: Cache<Broker> };
  readonly kube: Pick<KubePort, "patch">;
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
 * Makes brokers match Exchange and Queue objects, and keeps them so, until disposed of: one actor per Broker object, or per name of one that is
 * referred to and does not exist. Starts only when the caches are full: an absent object must be absent. Rejects with the signal's reason.
 */
export async function startTopology(options: TopologyOptions, signal: AbortSignal): Promise<Topology> {
  const { caches, secrets, connect, clock, random } = options;
  await Promise.all(Object.values(caches).map((cache) => cache.synced(signal)));
  const log = options.log.child({ part: "topology" });
  const reporter = createReporter({ ...options, log });
  const endpoints = createEndpoints();
  const actors = new Map<ObjectKey, Running>();
  const ending = new Set<Promise<void>>();

  const rivalsOf = (key: ObjectKey): readonly ObjectKey[] => {
    const [namespace = "", name = ""] = key.split("/");
    const endpoint = endpoints.endpointOf(namespace, name);
    return isEndpoint(endpoint) ? endpoints.sharing(endpoint.display).filter((other) => other !== key) : [];
  };

  const begin = (key: ObjectKey): Running => {
    const wake = (): void => actors.get(key)?.loop.wake();
    const link = createLink({ secrets, connect, clock, random, wake, located: (to) => endpoints.set(key, to) });
    const actor = createActor({
      ...options,
      log,
      key,
      link,
      reporter,
      brokerResource: caches.brokers.resource,
      broker: () => caches.brokers.get(key),
      members: () => members.of(key),
      rivals: () => rivalsOf(key).flatMap((rival) => members.of(rival)),
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
    if (actor === undefined || caches.brokers.get(key) !== undefined) return;
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
    if (id !== undefined) for (const rival of rivalsOf(key)) actors.get(rival)?.loop.wake();
  };

  // Told of what is there already while `members` is being made: nothing runs before this function has returned.
  const early: [ObjectKey, string][] = [];
  let tell = (key: ObjectKey, id: string): void => void early.push([key, id]);
  const members = createMembers(caches, (key, id) => tell(key, id));
  tell = wake;
  for (const [key, id] of early) wake(key, id);
  const brokers = caches.brokers.subscribe(({ key }) => wake(key));

  return {
    endpoints,
    async [Symbol.asyncDispose]() {
      brokers[Symbol.dispose]();
      members[Symbol.dispose]();
      await Promise.all([...ending, ...[...actors.values()].map(end)]);
      actors.clear();
    },
  };
}
