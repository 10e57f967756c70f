import { annotationsOf } from "./annotations.ts";
import { readBehavior } from "./behavior.ts";
import { type BrokerStub, brokerFor } from "./broker-stub.ts";
import { check, explain, isTrue, type Meaning, mapOf, mapped, type Note, none, numberOf } from "./note.ts";
import { queuesOf, readTriggers, targetOf } from "./triggers.ts";

type Fields = Readonly<Record<string, unknown>>;

export interface Converted {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
  /** `spec` of the WorkerPool; `template` only where the Deployment was given. */
  readonly pool: Fields;
  readonly broker: BrokerStub;
  readonly notes: readonly Note[];
}

/** What the converter is given beside the ScaledObject. */
export interface Beside {
  /** TriggerAuthentications of the same file, by name. */
  readonly authentications: ReadonlyMap<string, Fields>;
  /** Deployments of the same file, by name. */
  readonly deployments: ReadonlyMap<string, Fields>;
}

/** KEDA's defaults where they differ from ours. */
const KEDA_MAX = 100;
const KEDA_COOLDOWN = 300;

const silent: Meaning = () => mapped("");

/** Every field of a ScaledObject's spec (KEDA 2.21), one row each; what has a reader of its own is silent here. */
const SPEC: Readonly<Record<string, Meaning>> = {
  scaleTargetRef: silent,
  triggers: silent,
  advanced: silent,
  minReplicaCount: () => mapped("spec.autoscaling.minReplicas"),
  maxReplicaCount: () => mapped("spec.autoscaling.maxReplicas"),
  cooldownPeriod: () => mapped("spec.autoscaling.cooldownSeconds"),
  pollingInterval: () => none("queues are read every second, and every 200 ms where a pool may grow; nothing to set"),
  initialCooldownPeriod: () => none("a new pool keeps no replica it does not need; set minReplicas for as long as it shall"),
  idleReplicaCount: (count) =>
    none(
      `${String(count)} replicas while idle and minReplicaCount while active has no equivalent: set minReplicas to what shall always run, and a floor in spec.autoscaling.floors for the hours in which more shall`,
    ),
  fallback: (fallback) =>
    none(
      `on data that is missing, stale or contradicted a pool holds its size by itself, which is KEDA's behavior currentReplicas; ${String(mapOf(fallback)["replicas"])} replicas at a failure have no equivalent: set minReplicas if fewer must never run`,
    ),
};

const ADVANCED: Readonly<Record<string, Meaning>> = {
  horizontalPodAutoscalerConfig: silent,
  restoreToOriginalReplicaCount: (on) => (isTrue(on) ? none("a deleted WorkerPool takes its Deployment with it") : mapped("")),
  scalingModifiers: () =>
    none("a formula has no equivalent: several queues are summed, each with its weight, and waitSeconds is a target of its own"),
};

const HPA: Readonly<Record<string, Meaning>> = {
  behavior: silent,
  name: () => none("there is no HorizontalPodAutoscaler; delete KEDA's with the ScaledObject"),
};

const TARGET: Readonly<Record<string, Meaning>> = {
  name: () => check("the pool runs a Deployment of its own, named after the pool; delete the old one when the pool is Ready"),
  kind: (kind) => (kind === "Deployment" ? mapped("") : none(`a pool runs a Deployment; a ${String(kind)} cannot be scaled by it`)),
  apiVersion: silent,
  envSourceContainerName: () => none("the address stands in the Broker's Secret and not in a container's environment"),
};

/** Turns one ScaledObject into a WorkerPool and its Broker, with a note for every field. Never throws, never copies an address or a password. */
export function convertScaledObject(object: Fields, beside: Beside): Converted {
  const spec = mapOf(object["spec"]);
  const metadata = mapOf(object["metadata"]);
  const advanced = mapOf(spec["advanced"]);
  const hpa = mapOf(advanced["horizontalPodAutoscalerConfig"]);
  const target = mapOf(spec["scaleTargetRef"]);
  const behavior = readBehavior(mapOf(hpa["behavior"]), "spec.advanced.horizontalPodAutoscalerConfig.behavior");
  const triggers = readTriggers(Array.isArray(spec["triggers"]) ? spec["triggers"].map(mapOf) : []);
  const first = triggers.rabbit[0];
  const reference = mapOf(first?.raw["authenticationRef"]);
  const authentication = typeof reference["name"] === "string" ? reference["name"] : undefined;
  const http = mapOf(first?.raw["metadata"])["protocol"] === "http";
  const broker = brokerFor(
    authentication === undefined ? undefined : beside.authentications.get(authentication),
    authentication,
    first?.at ?? "spec.triggers",
    http,
  );
  const annotations = annotationsOf(mapOf(metadata["annotations"]));
  const deployment = beside.deployments.get(String(target["name"]));
  const template = deployment && workerTemplate(mapOf(mapOf(deployment["spec"])["template"]));
  const scaling = (side: typeof behavior.scaleUp) => side && Object.keys(side).length > 0;
  return {
    name: String(metadata["name"] ?? target["name"] ?? "pool"),
    namespace: typeof metadata["namespace"] === "string" ? metadata["namespace"] : undefined,
    annotations: { ...(behavior.paused !== undefined && { "longshore.dev/paused": behavior.paused }), ...annotations.ours },
    pool: {
      brokerRef: { name: broker.broker.uriFrom.secretKeyRef.name },
      queues: queuesOf(triggers.rabbit),
      ...(template !== undefined && { template }),
      autoscaling: {
        minReplicas: numberOf(spec["minReplicaCount"]) ?? 0,
        maxReplicas: numberOf(spec["maxReplicaCount"]) ?? KEDA_MAX,
        ...targetOf(triggers.rabbit),
        ...(scaling(behavior.scaleUp) && { scaleUp: behavior.scaleUp }),
        ...(scaling(behavior.scaleDown) && { scaleDown: behavior.scaleDown }),
        cooldownSeconds: numberOf(spec["cooldownPeriod"]) ?? KEDA_COOLDOWN,
        ...(triggers.floors.length > 0 && { floors: triggers.floors }),
      },
    },
    broker: broker.broker,
    notes: [
      ...explain("spec", spec, SPEC),
      ...explain("spec.scaleTargetRef", target, TARGET),
      ...explain("spec.advanced", advanced, ADVANCED),
      ...explain("spec.advanced.horizontalPodAutoscalerConfig", hpa, HPA),
      ...behavior.notes,
      ...triggers.notes,
      ...broker.notes,
      ...annotations.notes,
      {
        field: "spec.cooldownPeriod",
        ...(spec["cooldownPeriod"] === undefined
          ? check(`missing, KEDA's default is ${KEDA_COOLDOWN} s; Longshore's is 30 s, and enough`)
          : mapped("")),
      },
      {
        field: "spec.template",
        ...(template === undefined
          ? check("the Deployment is not in the file: copy its pod template here, with the consumer's container named worker")
          : mapped("")),
      },
    ].filter(({ words }) => words !== ""),
  };
}

/** The consumer's container is named `worker` in a pool: with a single one there is no doubt which it is. */
function workerTemplate(template: Fields): Fields {
  const spec = mapOf(template["spec"]);
  const containers = Array.isArray(spec["containers"]) ? spec["containers"].map(mapOf) : [];
  const renamed = containers.length === 1 ? containers.map((container) => ({ ...container, name: "worker" })) : containers;
  return { ...template, spec: { ...spec, containers: renamed } };
}
