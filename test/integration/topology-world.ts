import type { Resource, TopologyPort } from "../../operator/adapters/ports.ts";
import { connectTopology } from "../../operator/adapters/rabbitmq/management.ts";
import { brokerEndpoint } from "../../operator/kinds/broker/endpoint.ts";
import { KINDS } from "../../operator/kinds/index.ts";
import { resourceOf as resourceOfKind } from "../../operator/runtime/define-kind.ts";
import type { Condition, KubeObject } from "../../operator/runtime/object.ts";
import type { Broker } from "../cluster/cluster.ts";
import { protect } from "./protect.ts";
import { type Manifest, makeVhost, manifests } from "./topology-objects.ts";
import { type Api, awaitObject, awaitReason, EVENTS, type RunningTopology, SECRETS, startApi, startOperator } from "./topology-operator.ts";

const RESOURCES: Readonly<Record<string, Resource>> = {
  Secret: SECRETS,
  ...Object.fromEntries(KINDS.map((kind) => [kind.kind, resourceOfKind(kind)])),
};
function resourceOf({ kind }: Manifest): Resource {
  const found = RESOURCES[kind];
  if (found === undefined) throw new TypeError(`no kind ${kind}`);
  return found;
}

interface EventView extends KubeObject {
  readonly reason: string;
  readonly note: string;
  readonly type: string;
  readonly regarding: { readonly name: string };
}

/** An API server, a vhost, the operator between them, and hands on both sides. */
export interface World extends AsyncDisposable {
  readonly api: Api;
  readonly broker: Broker;
  readonly uri: string;
  readonly make: ReturnType<typeof manifests>;
  /** What the operator does not know of. */
  readonly hand: TopologyPort;
  readonly apply: (...objects: readonly Manifest[]) => Promise<void>;
  /** Asks for the deletion; does not wait for it. */
  readonly remove: (...objects: readonly Manifest[]) => Promise<void>;
  readonly until: (object: Manifest, reason: string, ms?: number) => Promise<Condition>;
  readonly gone: (object: Manifest, ms?: number) => Promise<void>;
  readonly get: <T extends KubeObject>(object: Manifest) => Promise<T | undefined>;
  readonly eventsOf: (object: Manifest) => Promise<readonly EventView[]>;
  readonly restartOperator: () => Promise<void>;
  readonly stopOperator: () => Promise<void>;
}

const namespace = "default";

/** @param options `protection`: whether the API server protects objects as they are created, as after an installation; else the operator writes first */
export async function createWorld(broker: Broker, vhostName: string, { protection = false } = {}): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const api = stack.use(await startApi());
  if (protection) await protect(api.server);
  const { kube } = api;
  const { uri, drop } = await makeVhost(broker, vhostName);
  stack.defer(drop);
  const endpoint = brokerEndpoint(uri, broker.managementUri);
  if (!("host" in endpoint)) throw new Error(endpoint.message);
  const hand = stack.use(connectTopology(endpoint, { random: Math.random }));
  let operator: RunningTopology | undefined = await startOperator(kube, namespace);
  const stopOperator = async () => {
    await operator?.[Symbol.asyncDispose]();
    operator = undefined;
  };
  stack.defer(stopOperator);
  const owned = stack.move();
  return {
    api,
    broker,
    uri,
    hand,
    make: manifests(namespace),
    async apply(...objects) {
      for (const object of objects) await kube.apply(resourceOf(object), object);
    },
    async remove(...objects) {
      for (const object of objects) await kube.delete(resourceOf(object), namespace, object.metadata.name);
    },
    until: (object, reason, ms) => awaitReason(kube, resourceOf(object), namespace, object.metadata.name, reason, ms),
    async gone(object, ms) {
      await awaitObject(kube, resourceOf(object), namespace, object.metadata.name, (found) => found === undefined, ms);
    },
    get: (object) => kube.get(resourceOf(object), namespace, object.metadata.name),
    async eventsOf({ metadata }) {
      const { items } = await kube.list<EventView>(EVENTS, { namespace }, { limit: 500 }, AbortSignal.timeout(5_000));
      return items.filter(({ regarding }) => regarding.name === metadata.name);
    },
    stopOperator,
    async restartOperator() {
      await stopOperator();
      operator = await startOperator(kube, namespace);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
