import type { Resource, TopologyPort } from "../../../operator/adapters/ports.ts";
import { connectTopology } from "../../../operator/adapters/rabbitmq/management.ts";
import { bindingKind } from "../../../operator/kinds/binding/schema.ts";
import { brokerEndpoint } from "../../../operator/kinds/broker/endpoint.ts";
import { brokerKind } from "../../../operator/kinds/broker/schema.ts";
import { queueKind } from "../../../operator/kinds/queue/schema.ts";
import { resourceOf } from "../../../operator/runtime/define-kind.ts";
import { protect } from "../../integration/protect.ts";
import { manifests } from "../../integration/topology-objects.ts";
import { type Stage, setStage } from "../pools/stage.ts";
import { type ReadyWatch, watchReady } from "./ready-watch.ts";

const NAMESPACE = "default";
export const make = manifests(NAMESPACE);

/** Hears what happens to queues. */
export interface BrokerWatch {
  /** Resolves with the time of the next event of this queue. */
  readonly told: (name: string) => Promise<number>;
  /** Resolves with the time at which the last of this many queues whose names begin so was made, from now on. */
  readonly made: (prefix: string, wanted: number) => Promise<number>;
}

/** The stage of the topology bench: API server with what an installation puts there, broker, a Broker object that leads there, and eyes on both ends. */
export interface Lab extends AsyncDisposable {
  readonly stage: Stage;
  readonly port: TopologyPort;
  readonly broker: BrokerWatch;
  readonly queues: ReadyWatch;
  readonly bindings: ReadyWatch;
  readonly brokers: ReadyWatch;
  readonly createQueue: (name: string, spec?: object) => Promise<void>;
  readonly createBinding: (name: string) => Promise<void>;
  readonly create: (resource: "secrets" | "brokers", object: object) => Promise<void>;
}

const SECRETS: Resource = { group: "", version: "v1", plural: "secrets", kind: "Secret" };

export async function watchBroker(port: TopologyPort): Promise<BrokerWatch> {
  const waiting = new Map<string, (at: number) => void>();
  const counts = new Set<{ readonly prefix: string; readonly names: Set<string>; readonly wanted: number; done: (at: number) => void }>();
  const subscription = await port.changes((change, how) => {
    if (typeof change !== "object") return;
    waiting.get(change.name)?.(performance.now());
    waiting.delete(change.name);
    if (how !== "made" || change.type !== "queue") return;
    for (const count of counts) {
      if (!change.name.startsWith(count.prefix)) continue;
      count.names.add(change.name);
      if (count.names.size === count.wanted) count.done(performance.now());
    }
  });
  if (subscription === "unsupported") throw new Error("the broker of the bench has the event exchange");
  return {
    told: (name) => new Promise((resolve) => waiting.set(name, resolve)),
    made: (prefix, wanted) => new Promise((done) => counts.add({ prefix, names: new Set(), wanted, done })),
  };
}

export async function setLab(): Promise<Lab> {
  await using stack = new AsyncDisposableStack();
  const stage = stack.use(await setStage("bench-topology"));
  await protect(stage.server);
  const { kube, uris } = stage;
  const endpoint = brokerEndpoint(uris.broker, uris.management);
  if (!("host" in endpoint)) throw new Error(endpoint.message);
  const port = stack.use(connectTopology(endpoint, { random: Math.random }));
  const [queueResource, bindingResource, brokerResource] = [resourceOf(queueKind), resourceOf(bindingKind), resourceOf(brokerKind)];
  const create = async (resource: Resource, object: object): Promise<void> => {
    await kube.create(resource, object as Parameters<typeof kube.create>[1]);
  };
  await create(SECRETS, make.secret(uris.broker, uris.management));
  await create(brokerResource, make.broker());
  const watches = await Promise.all([queueResource, bindingResource, brokerResource].map((one) => watchReady(kube, one, NAMESPACE)));
  const [queues, bindings, brokers] = watches.map((watch) => stack.use(watch)) as [ReadyWatch, ReadyWatch, ReadyWatch];
  const broker = await watchBroker(port);
  const owned = stack.move();
  return {
    stage,
    port,
    broker,
    queues,
    bindings,
    brokers,
    createQueue: (name, spec = {}) => create(queueResource, make.queue(name, { type: "classic", ...spec })),
    createBinding: (name) =>
      create(bindingResource, make.any("Binding", name, { source: "amq.direct", destination: name, routingKey: name })),
    create: (resource, object) => create(resource === "secrets" ? SECRETS : brokerResource, object),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
