import { Registry } from "prom-client";
import type { BrokerObject, Resource } from "../../operator/adapters/ports.ts";
import { type Broker, brokerKind } from "../../operator/kinds/broker/schema.ts";
import { exchangeKind } from "../../operator/kinds/exchange/schema.ts";
import { queueKind } from "../../operator/kinds/queue/schema.ts";
import { TOPOLOGY } from "../../operator/kinds/topology.ts";
import type { TopologyObject } from "../../operator/kinds/topology-kind.ts";
import { createCache } from "../../operator/runtime/cache/cache.ts";
import { resourceOf } from "../../operator/runtime/define-kind.ts";
import { PROTECTION } from "../../operator/runtime/finalizer.ts";
import type { Condition, KubeObject } from "../../operator/runtime/object.ts";
import { createSecretReader } from "../../operator/runtime/secrets.ts";
import { findCondition } from "../../operator/runtime/truth/conditions.ts";
import { createEventRecorder } from "../../operator/runtime/truth/events.ts";
import { createStatusWriter } from "../../operator/runtime/truth/status.ts";
import { createTopologyMetrics } from "../../operator/topology/metrics.ts";
import { startTopology } from "../../operator/topology/start.ts";
import { createFakeClock, type FakeClock } from "./clock.ts";
import { createFakeKube, type FakeKube } from "./kube.ts";
import { createRecordingLog } from "./log.ts";
import { createFakeVhost, type FakeVhost } from "./vhost.ts";

const BROKERS = resourceOf(brokerKind);
/** Of all kinds of topology, by kind. */
const RESOURCES = Object.fromEntries(TOPOLOGY.map(({ kind }) => [kind.kind, resourceOf(kind)]));
const SECRETS = { group: "", version: "v1", plural: "secrets", kind: "Secret" };
const apiVersion = "longshore.dev/v1alpha1";
const namespace = "n";

/** Topology over an API server, a vhost and a clock in memory. Begins with Broker and Secret `rabbitmq`, and no operator. */
export interface TopologyWorld extends AsyncDisposable {
  readonly kube: FakeKube;
  readonly vhost: FakeVhost;
  readonly clock: FakeClock;
  readonly start: () => Promise<void>;
  /** Stops the operator wherever it is; what it remembers is lost. */
  readonly crash: () => Promise<void>;
  readonly queue: (name: string, spec?: object) => Promise<void>;
  readonly exchange: (name: string, spec?: object) => Promise<void>;
  /** An object of any kind of topology; its spec is parsed as the API server would. */
  readonly put: (kind: string, name: string, spec: object, annotations?: Readonly<Record<string, string>>) => Promise<void>;
  readonly remove: (kind: string, name: string) => Promise<void>;
  readonly get: (kind: string, name: string) => Promise<TopologyObject | undefined>;
  readonly ready: (kind: string, name: string) => Promise<Condition | undefined>;
  readonly broker: () => Promise<Broker | undefined>;
  /** A Broker of the same name in another namespace, with its Secret. */
  readonly brokerElsewhere: (elsewhere: string, allowedNamespaces: readonly string[]) => Promise<void>;
  /** A Broker of another name that leads to the same vhost, by this URI. */
  readonly brokerAlias: (name: string, uri: string) => Promise<void>;
  /** Reasons of the events so far. */
  readonly events: () => readonly string[];
}

/** @param options `protection`: the API server has the admission policy that protects objects as they are created */
export async function createTopologyWorld(
  options: { readonly events?: boolean; readonly bulk?: boolean; readonly protection?: boolean } = {},
): Promise<TopologyWorld> {
  const [kube, vhost, clock] = [createFakeKube(), createFakeVhost(), createFakeClock()];
  const common = { kube, clock, random: () => 0.5, log: createRecordingLog() };
  let running: AsyncDisposable | undefined;
  const resourceFor = (kind: string): Resource => {
    const found = { ...RESOURCES, Broker: BROKERS, Secret: SECRETS }[kind];
    if (found === undefined) throw new TypeError(`no kind ${kind}`);
    return found;
  };
  const uri = Buffer.from("amqp://u:p@rabbit").toString("base64");
  const secret: KubeObject & { data: object } = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "rabbitmq", namespace },
    data: { uri },
  };
  kube.seed(SECRETS, secret);
  const uriFrom = { secretKeyRef: { name: "rabbitmq" } };
  const broker = { apiVersion, kind: "Broker", metadata: { name: "rabbitmq", namespace }, spec: brokerKind.spec.parse({ uriFrom }) };
  kube.seed(BROKERS, broker);

  const put = async (kind: string, name: string, spec: object, annotations = {}): Promise<void> => {
    const made = await kube.get(resourceFor(kind), namespace, name);
    if (made !== undefined) return void (await kube.patch(resourceFor(kind), namespace, name, { spec, metadata: { annotations } }));
    // The API server's own clock, to the second.
    const creationTimestamp = new Date(clock.now()).toISOString().replace(/\.\d+Z/, "Z");
    const metadata = { name, namespace, annotations, creationTimestamp, ...(options.protection === true && { finalizers: [PROTECTION] }) };
    kube.seed(resourceFor(kind), { apiVersion, kind, metadata, spec } as KubeObject);
  };
  const get = (kind: string, name: string) => kube.get<TopologyObject>(resourceFor(kind), namespace, name);
  const crash = async (): Promise<void> => {
    const stopping = running?.[Symbol.asyncDispose]();
    running = undefined;
    await clock.advance(0);
    await stopping;
  };

  return {
    kube,
    vhost,
    clock,
    crash,
    async start() {
      await using stack = new AsyncDisposableStack();
      const cache = <T extends KubeObject>(resource: Resource) => stack.use(createCache<T>({ ...common, resource, selection: {} }));
      const brokers = cache<Broker>(BROKERS);
      const objects = TOPOLOGY.map((kind) => ({ kind, cache: cache<TopologyObject>(resourceOf(kind.kind)) }));
      for (const one of [brokers, ...objects.map((of) => of.cache)]) one.start();
      await clock.advance(0);
      stack.use(
        await startTopology(
          {
            ...common,
            brokers,
            objects,
            connect: () => vhost.connect(options),
            secrets: stack.use(createSecretReader(common)),
            status: createStatusWriter(common),
            events: stack.use(createEventRecorder({ ...common, instance: "test" })),
            metrics: createTopologyMetrics(new Registry()),
          },
          new AbortController().signal,
        ),
      );
      running = stack.move();
      await clock.advance(20);
    },
    queue: (name, spec = {}) => put("Queue", name, queueKind.spec.parse({ brokerRef: { name: "rabbitmq" }, type: "classic", ...spec })),
    exchange: (name, spec = {}) => put("Exchange", name, exchangeKind.spec.parse({ brokerRef: { name: "rabbitmq" }, ...spec })),
    async put(kind, name, spec, annotations) {
      const schema = TOPOLOGY.find((one) => one.kind.kind === kind)?.kind.spec;
      if (schema === undefined) throw new TypeError(`no kind ${kind}`);
      await put(kind, name, schema.parse({ brokerRef: { name: "rabbitmq" }, ...spec }), annotations);
    },
    remove: (kind, name) => kube.delete(resourceFor(kind), namespace, name),
    get,
    async ready(kind, name) {
      const object = await get(kind, name);
      const condition = findCondition(object?.status?.conditions, "Ready");
      return condition?.observedGeneration === object?.metadata.generation ? condition : undefined;
    },
    broker: () => kube.get<Broker>(BROKERS, namespace, "rabbitmq"),
    async brokerElsewhere(elsewhere, allowedNamespaces) {
      const spec = brokerKind.spec.parse({ uriFrom, allowedNamespaces });
      const made = await kube.get(BROKERS, elsewhere, "rabbitmq");
      if (made !== undefined) return void (await kube.patch(BROKERS, elsewhere, "rabbitmq", { spec }));
      kube.seed(SECRETS, { ...secret, metadata: { ...secret.metadata, namespace: elsewhere } });
      kube.seed(BROKERS, { ...broker, metadata: { ...broker.metadata, namespace: elsewhere }, spec });
    },
    async brokerAlias(name, other) {
      const metadata = { name, namespace };
      kube.seed(SECRETS, { ...secret, metadata, data: { uri: Buffer.from(other).toString("base64") } });
      kube.seed(BROKERS, { ...broker, metadata, spec: brokerKind.spec.parse({ uriFrom: { secretKeyRef: { name } } }) });
    },
    events: () =>
      kube.calls.flatMap(({ verb, resource, body }) =>
        verb === "create" && resource === "events" && body !== undefined && "reason" in body ? [String(body.reason)] : [],
      ),
    [Symbol.asyncDispose]: crash,
  };
}

/** The bindings that lead into a queue, as `source key`. */
export const bindingsOf = (vhost: FakeVhost, queue: string): readonly string[] =>
  [...vhost.objects.values()]
    .filter((object): object is BrokerObject & { type: "binding" } => object.type === "binding" && object.destination === queue)
    .map(({ source, routingKey }) => `${source} ${routingKey}`)
    .toSorted();
