import type { BrokerEndpoint, KubePort, StoreEndpoint, StorePort, TopologyPort } from "../adapters/ports.ts";
import { type AutoscaleMetrics, createAutoscaleMetrics } from "../autoscale/metrics.ts";
import type { BrokerLink } from "../autoscale/sense/broker-sensor.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { RuntimeMetrics } from "../runtime/metrics.ts";
import { inLanes } from "../runtime/queue/lanes.ts";
import { createSecretReader, type SecretReader } from "../runtime/secrets.ts";
import { createEventRecorder, type EventRecorder } from "../runtime/truth/events.ts";
import { createStatusWriter, type StatusWriter } from "../runtime/truth/status.ts";
import { createScheduleMetrics, type ScheduleMetrics } from "../schedules/metrics.ts";
import type { PublishPort, RecordPort } from "../schedules/ports.ts";
import { createTopologyMetrics, type TopologyMetrics } from "../topology/metrics.ts";
import type { Caches } from "./caches.ts";

/** Opens connections; every one opens in the background, and disposing of it closes it. */
export interface Connectors {
  readonly topology: (endpoint: BrokerEndpoint) => TopologyPort;
  readonly sensing: (endpoint: BrokerEndpoint) => BrokerLink;
  readonly store: (endpoint: StoreEndpoint) => StorePort;
  readonly publishing: (endpoint: BrokerEndpoint) => PublishPort;
  readonly records: (endpoint: StoreEndpoint) => RecordPort;
}

/** What lives as long as the process, and every part of the leader's work makes use of. */
export interface Context extends AsyncDisposable {
  readonly kube: KubePort;
  readonly caches: Caches;
  readonly connect: Connectors;
  readonly secrets: SecretReader;
  readonly status: StatusWriter;
  readonly events: EventRecorder;
  readonly metrics: RuntimeMetrics;
  readonly autoscaleMetrics: AutoscaleMetrics;
  readonly topologyMetrics: TopologyMetrics;
  readonly scheduleMetrics: ScheduleMetrics;
  /** Unique per process: the pod's name. */
  readonly identity: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly workerImage: string;
}

/** Disposing of it writes the events that are held back. */
export function createContext(
  base: Omit<
    Context,
    "secrets" | "status" | "events" | "autoscaleMetrics" | "topologyMetrics" | "scheduleMetrics" | typeof Symbol.asyncDispose
  >,
): Context {
  const { kube, clock, log, identity, metrics } = base;
  const secrets = createSecretReader({ kube, clock, log });
  const events = createEventRecorder({ kube: inLanes(kube), clock, log, instance: identity });
  return {
    ...base,
    secrets,
    events,
    status: createStatusWriter({ kube, clock }),
    autoscaleMetrics: createAutoscaleMetrics(metrics.registry),
    topologyMetrics: createTopologyMetrics(metrics.registry),
    scheduleMetrics: createScheduleMetrics(metrics.registry),
    async [Symbol.asyncDispose]() {
      secrets[Symbol.dispose]();
      await events[Symbol.asyncDispose]();
    },
  };
}
