import { Registry } from "prom-client";
import type { BrokerEndpoint, TopologyPort } from "../../operator/adapters/ports.ts";
import { connectTopology } from "../../operator/adapters/rabbitmq/management.ts";
import { type Broker, brokerKind } from "../../operator/kinds/broker/schema.ts";
import { queueKind } from "../../operator/kinds/queue/schema.ts";
import { TOPOLOGY } from "../../operator/kinds/topology.ts";
import type { TopologyObject } from "../../operator/kinds/topology-kind.ts";
import { createCache } from "../../operator/runtime/cache/cache.ts";
import { systemClock as clock } from "../../operator/runtime/clock.ts";
import { resourceOf } from "../../operator/runtime/define-kind.ts";
import type { KubeObject } from "../../operator/runtime/object.ts";
import { createSecretReader } from "../../operator/runtime/secrets.ts";
import { findCondition } from "../../operator/runtime/truth/conditions.ts";
import { createEventRecorder } from "../../operator/runtime/truth/events.ts";
import { createStatusWriter } from "../../operator/runtime/truth/status.ts";
import { createTopologyMetrics } from "../../operator/topology/metrics.ts";
import { startTopology } from "../../operator/topology/start.ts";
import { createFakeKube } from "../fakes/kube.ts";
import { createRecordingLog } from "../fakes/log.ts";

/**
 * The operator's topology over one Queue and a real broker, in a process that can be killed. Argument: the URI, and the Queue's spec as JSON.
 * Prints a line after each change of the broker, and `ready` when the Queue is.
 */
const [uri = "", management = "", spec = "{}"] = process.argv.slice(2);
const kube = createFakeKube();
const metadata = (name: string) => ({ name, namespace: "n" });
const apiVersion = "longshore.dev/v1alpha1";
const encode = (text: string) => Buffer.from(text).toString("base64");
const secret: KubeObject & { data: object } = {
  apiVersion: "v1",
  kind: "Secret",
  metadata: metadata("rabbitmq"),
  data: { uri: encode(uri), management: encode(management) },
};
kube.seed({ group: "", version: "v1", plural: "secrets", kind: "Secret" }, secret);
const key = (name: string) => ({ secretKeyRef: { name: "rabbitmq", key: name } });
const brokerSpec = brokerKind.spec.parse({ uriFrom: key("uri"), managementFrom: key("management") });
const [brokerResource, queueResource] = [resourceOf(brokerKind), resourceOf(queueKind)];
const broker: Broker = { apiVersion, kind: "Broker", metadata: metadata("rabbitmq"), spec: brokerSpec };
kube.seed(brokerResource, broker);
const queueSpec = queueKind.spec.parse({ brokerRef: { name: "rabbitmq" }, ...(JSON.parse(spec) as object) });
const queue: KubeObject & { spec: object } = { apiVersion, kind: "Queue", metadata: metadata("orders"), spec: queueSpec };
kube.seed(queueResource, queue);

/** Says what was done. */
function told(endpoint: BrokerEndpoint): TopologyPort {
  const port = connectTopology(endpoint, { random: Math.random });
  const say = (what: string): void => void process.stdout.write(`${what}\n`);
  return {
    ...port,
    declare: (object) => port.declare(object).then(() => say(`declare ${object.type}`)),
    remove: (object, options) => port.remove(object, options).then(() => say(`remove ${object.type}`)),
    move: (from, to, limit) => port.move(from, to, limit).finally(() => say("move")),
  };
}

const common = { kube, clock, random: Math.random, log: createRecordingLog() };
const cache = <T extends KubeObject>(resource: typeof brokerResource) => {
  const made = createCache<T>({ ...common, resource, selection: {} });
  made.start();
  return made;
};
await startTopology(
  {
    ...common,
    brokers: cache<Broker>(brokerResource),
    objects: TOPOLOGY.map((kind) => ({ kind, cache: cache<TopologyObject>(resourceOf(kind.kind)) })),
    connect: told,
    secrets: createSecretReader(common),
    status: createStatusWriter(common),
    events: createEventRecorder({ ...common, instance: "test" }),
    metrics: createTopologyMetrics(new Registry()),
  },
  new AbortController().signal,
);
// Its timers do not keep a process alive.
setInterval(() => undefined, 60_000);
for await (const event of kube.watch<TopologyObject>(queueResource, {}, "0", new AbortController().signal)) {
  if (event.type === "BOOKMARK") continue;
  if (findCondition(event.object.status?.conditions, "Ready")?.status === "True") process.stdout.write("ready\n");
}
