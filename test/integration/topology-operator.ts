import { join } from "node:path";
import { Registry } from "prom-client";
import { loadAccess } from "../../operator/adapters/kubernetes/access.ts";
import { createKube } from "../../operator/adapters/kubernetes/kube.ts";
import type { BrokerEndpoint, KubePort, Resource, TopologyPort } from "../../operator/adapters/ports.ts";
import { connectTopology } from "../../operator/adapters/rabbitmq/management.ts";
import { type Broker as BrokerObject, brokerKind } from "../../operator/kinds/broker/schema.ts";
import { TOPOLOGY } from "../../operator/kinds/topology.ts";
import type { TopologyObject } from "../../operator/kinds/topology-kind.ts";
import { createCache } from "../../operator/runtime/cache/cache.ts";
import { systemClock as clock } from "../../operator/runtime/clock.ts";
import { resourceOf } from "../../operator/runtime/define-kind.ts";
import type { Condition, KubeObject } from "../../operator/runtime/object.ts";
import { createSecretReader } from "../../operator/runtime/secrets.ts";
import { createEventRecorder } from "../../operator/runtime/truth/events.ts";
import { createStatusWriter } from "../../operator/runtime/truth/status.ts";
import { createTopologyMetrics } from "../../operator/topology/metrics.ts";
import { startTopology, type Topology } from "../../operator/topology/start.ts";
import { createRecordingLog, type RecordingLog } from "../fakes/log.ts";
import { type ApiServer, startApiServer } from "./api-server.ts";

export const BROKERS = resourceOf(brokerKind);
export const SECRETS: Resource = { group: "", version: "v1", plural: "secrets", kind: "Secret" };
export const EVENTS: Resource = { group: "events.k8s.io", version: "v1", plural: "events", kind: "Event" };

/** A real API server with our kinds. */
export interface Api extends AsyncDisposable {
  readonly kube: KubePort;
  readonly server: ApiServer;
}

export async function startApi(): Promise<Api> {
  const server = await startApiServer();
  const must = async (...args: readonly string[]) => {
    const { code, error } = await server.kubectl(args);
    if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${error}`);
  };
  await must("apply", "--server-side", "-f", join(import.meta.dirname, "../../crds"));
  await must("wait", "--for=condition=Established", "--timeout=20s", "crd", "--all");
  const kube = createKube(await loadAccess({ KUBECONFIG: server.kubeconfig }), { random: Math.random });
  return {
    kube,
    server,
    async [Symbol.asyncDispose]() {
      kube[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

export interface RunningTopology extends AsyncDisposable {
  readonly topology: Topology;
  readonly log: RecordingLog;
}

/** The topology half of the operator for one namespace, as `main.ts` would start it. Stopping it leaves everything as it is, as a crash does. */
export async function startOperator(
  kube: KubePort,
  namespace: string,
  connect: (endpoint: BrokerEndpoint) => TopologyPort = (endpoint) => connectTopology(endpoint, { random: Math.random }),
): Promise<RunningTopology> {
  await using stack = new AsyncDisposableStack();
  const log = createRecordingLog();
  const common = { kube, clock, random: Math.random, log };
  const cache = <T extends KubeObject>(resource: Resource) => stack.use(createCache<T>({ ...common, resource, selection: { namespace } }));
  const brokers = cache<BrokerObject>(BROKERS);
  const objects = TOPOLOGY.map((kind) => ({ kind, cache: cache<TopologyObject>(resourceOf(kind.kind)) }));
  for (const one of [brokers, ...objects.map((of) => of.cache)]) one.start();
  const topology = await startTopology(
    {
      ...common,
      brokers,
      objects,
      connect,
      secrets: stack.use(createSecretReader({ ...common, pollMs: 300 })),
      status: createStatusWriter(common),
      events: stack.use(createEventRecorder({ ...common, instance: "test" })),
      metrics: createTopologyMetrics(new Registry()),
    },
    AbortSignal.timeout(20_000),
  );
  stack.use(topology);
  const running = stack.move();
  return { topology, log, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

interface WithConditions extends KubeObject {
  readonly status?: { readonly conditions?: readonly Condition[] };
}

/** Resolves with the object once it is as wanted; undefined: it is gone. Watches, and never polls. */
export async function awaitObject<T extends KubeObject>(
  kube: KubePort,
  resource: Resource,
  namespace: string,
  name: string,
  wanted: (object: T | undefined) => boolean,
  ms = 15_000,
): Promise<T | undefined> {
  const stop = new AbortController();
  const deadline = AbortSignal.timeout(ms);
  const signal = AbortSignal.any([stop.signal, deadline]);
  const selection = { namespace, fieldSelector: `metadata.name=${name}` };
  let last: T | undefined;
  try {
    const { items, resourceVersion } = await kube.list<T>(resource, selection, { limit: 1 }, signal);
    last = items[0];
    if (wanted(last)) return last;
    for await (const event of kube.watch<T>(resource, selection, resourceVersion, signal)) {
      if (event.type === "BOOKMARK") continue;
      last = event.type === "DELETED" ? undefined : event.object;
      if (wanted(last)) return last;
    }
  } catch (error) {
    if (!deadline.aborted) throw error;
  } finally {
    stop.abort();
  }
  throw new Error(`${resource.kind} ${name} is not as wanted after ${ms} ms: ${JSON.stringify(last ?? "gone")}`);
}

/** Resolves with the condition `Ready` once it has this reason. */
export async function awaitReason(
  kube: KubePort,
  resource: Resource,
  namespace: string,
  name: string,
  reason: string,
  ms?: number,
): Promise<Condition> {
  const ready = (object: WithConditions | undefined) => object?.status?.conditions?.find(({ type }) => type === "Ready");
  const fits = (object: WithConditions | undefined) => {
    const condition = ready(object);
    return condition?.reason === reason && condition.observedGeneration === object?.metadata.generation;
  };
  const condition = ready(await awaitObject<WithConditions>(kube, resource, namespace, name, fits, ms));
  if (condition === undefined) throw new Error(`${resource.kind} ${name} has no condition Ready`);
  return condition;
}
