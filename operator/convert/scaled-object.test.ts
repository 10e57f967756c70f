import { expect, test } from "vitest";
import { parse } from "yaml";
import { brokerKind } from "../kinds/broker/schema.ts";
import { queueEntries } from "../kinds/worker-pool/inputs.ts";
import { workerPoolKind } from "../kinds/worker-pool/schema.ts";
import { convertScaledObject } from "./scaled-object.ts";

const NOTHING = { authentications: new Map(), deployments: new Map() };
const AUTHENTICATION = parse(`{spec: {secretTargetRef: [{parameter: host, name: mq, key: host}, {parameter: ca, name: mq, key: ca}]}}`);
const beside = { authentications: new Map([["mq", AUTHENTICATION]]), deployments: new Map() };

const convert = (spec: string, given: Parameters<typeof convertScaledObject>[1] = NOTHING, annotations = "{}") =>
  convertScaledObject(
    { metadata: { name: "mail", annotations: parse(annotations) }, spec: { scaleTargetRef: { name: "mail" }, ...parse(spec) } },
    given,
  );
const rabbit = (metadata: string, more = ""): string => `{triggers: [{type: rabbitmq, metadata: ${metadata}${more}}]}`;
const autoscalingOf = (spec: string) => convert(spec).pool["autoscaling"];

/** Every field of the trigger that KEDA 2.21 reads. */
const FULL = `{
  minReplicaCount: 1, maxReplicaCount: 40, idleReplicaCount: 0, pollingInterval: 10, cooldownPeriod: 60, initialCooldownPeriod: 5,
  fallback: {failureThreshold: 3, replicas: 6, behavior: static},
  advanced: {
    restoreToOriginalReplicaCount: true, scalingModifiers: {formula: a + b, target: "5"},
    horizontalPodAutoscalerConfig: {name: hpa, behavior: {
      scaleUp: {stabilizationWindowSeconds: 5, selectPolicy: Max, policies: [{type: Pods, value: 8, periodSeconds: 15}]},
      scaleDown: {stabilizationWindowSeconds: 120, tolerance: 0.2, policies: [{type: Percent, value: 50, periodSeconds: 60}]}}}},
  triggers: [{type: rabbitmq, name: mail, metricType: AverageValue, useCachedMetrics: true, authenticationRef: {name: mq}, metadata: {
    host: "amqp://user:secret@mq/shop", hostFromEnv: HOST, protocol: http, queueName: mail, mode: QueueLength, value: "25",
    activationValue: "10", vhostName: shop, useRegex: "false", pageSize: "100", operation: max, excludeUnacknowledged: "true",
    timeout: "1000", metricName: m, unsafeSsl: "true", tls: enable, usernameFromEnv: U, passwordFromEnv: P, workloadIdentityResource: w}},
  {type: cron, metadata: {timezone: Europe/Berlin, start: "0 8 * * 1-5", end: "0 18 * * 1-5", desiredReplicas: "10"}}]}`;

test("a whole ScaledObject becomes a pool and a broker that their schemas accept, and no password goes with it", () => {
  const converted = convert(FULL, beside);
  expect(converted.pool["autoscaling"]).toEqual({
    minReplicas: 1,
    maxReplicas: 40,
    backlogPerReplica: 25,
    scaleUp: { maxStep: 8, windowSeconds: 5 },
    scaleDown: { windowSeconds: 120 },
    cooldownSeconds: 60,
    floors: [{ cron: "0 8 * * 1-5", timeZone: "Europe/Berlin", durationMinutes: 600, minReplicas: 10 }],
  });
  expect(converted.broker).toEqual({
    uriFrom: { secretKeyRef: { name: "rabbitmq", key: "uri" } },
    managementFrom: { secretKeyRef: { name: "mq", key: "host" } },
  });
  const spec = workerPoolKind.spec.parse({ runtime: "custom", template: {}, ...converted.pool });
  expect(queueEntries({ spec })).toMatchObject({ queues: [{ name: "mail", weight: 1 }] });
  brokerKind.spec.parse(converted.broker);
  expect(JSON.stringify(converted)).not.toContain("secret@");
});

test("what has no equivalent is said with its path; nothing of KEDA's is unknown", () => {
  const { notes } = convert(FULL, beside);
  const none = notes.filter(({ outcome }) => outcome === "none").map(({ field }) => field);
  const metadata = (name: string) => `spec.triggers[0].metadata.${name}`;
  expect(none).toEqual(
    expect.arrayContaining([
      ...["activationValue", "excludeUnacknowledged", "timeout", "unsafeSsl", "operation", "pageSize", "host"].map(metadata),
      "spec.fallback",
      "spec.idleReplicaCount",
      "spec.pollingInterval",
      "spec.advanced.scalingModifiers",
      "spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleDown.policies",
      "spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleDown.tolerance",
      "spec.triggers[0].useCachedMetrics",
    ]),
  );
  expect(notes.filter(({ words }) => words.includes("not known here"))).toEqual([]);
});

const targets: readonly [why: string, metadata: string, target: object][] = [
  ["KEDA's default value", "{queueName: q}", { backlogPerReplica: 20 }],
  ["the old name of value", "{queueName: q, queueLength: '7'}", { backlogPerReplica: 7 }],
  ["never less than one task per replica", "{queueName: q, value: '0.5'}", { backlogPerReplica: 1 }],
  ["a consumption time is a wait", "{queueName: q, mode: ExpectedQueueConsumptionTime, value: '12.5'}", { waitSeconds: 12.5 }],
  ["a rate is none, so that a wait stands in", "{queueName: q, mode: MessageRate, value: '100'}", { waitSeconds: 30 }],
  ["so is a rate of deliveries", "{queueName: q, mode: DeliverGetRate, value: '5'}", { waitSeconds: 30 }],
  ["and a ratio", "{queueName: q, mode: PublishedToDeliveredRatio, value: '1.1'}", { waitSeconds: 30 }],
];
test.for(targets)("%s", ([, metadata, target]) => expect(autoscalingOf(rabbit(metadata))).toMatchObject(target));

const queues: readonly [why: string, triggers: string, queues: readonly unknown[]][] = [
  ["a pattern matches whole names", "[{type: rabbitmq, metadata: {queueName: a|b, useRegex: 'true'}}]", [{ pattern: ".*(?:a|b).*" }]],
  ["an anchored one as it is", "[{type: rabbitmq, metadata: {queueName: '^mail[.]x$', useRegex: 'true'}}]", [{ pattern: "mail[.]x" }]],
  [
    "weights make up for different thresholds",
    "[{type: rabbitmq, metadata: {queueName: a, value: '10'}}, {type: rabbitmq, metadata: {queueName: b, value: '40'}}]",
    ["a", { name: "b", weight: 0.25 }],
  ],
  [
    "length and rate of one queue are one entry",
    "[{type: rabbitmq, metadata: {queueName: a, mode: MessageRate}}, {type: rabbitmq, metadata: {queueName: a}}]",
    ["a"],
  ],
];
test.for(queues)("queues: %s", ([, triggers, want]) => expect(convert(`{triggers: ${triggers}}`).pool["queues"]).toEqual(want));

test("a value that is no number is said", () => {
  const [note] = convert(rabbit("{queueName: q, value: many}")).notes.filter(({ field }) => field.endsWith("metadata.value"));
  expect(note).toMatchObject({ outcome: "check", words: expect.stringContaining('"many" is not a number') });
});

test("pauses are kept, by annotation and by a disabled policy", () => {
  const spec = rabbit("{queueName: q}");
  expect(convert(spec, NOTHING, '{autoscaling.keda.sh/paused-scale-in: "true"}').annotations).toEqual({ "longshore.dev/paused": "down" });
  const disabled = "{advanced: {horizontalPodAutoscalerConfig: {behavior: {scaleUp: {selectPolicy: Disabled}}}}, triggers: []}";
  expect(convert(disabled).annotations).toEqual({ "longshore.dev/paused": "up" });
  const words = convert(spec, NOTHING, '{autoscaling.keda.sh/paused-replicas: "4"}').notes.find(({ field }) => field.includes("paused-"));
  expect(words).toMatchObject({ outcome: "none", words: expect.stringContaining("minReplicas and maxReplicas to 4") });
});

test("triggers of several brokers are said; other triggers and other targets, too", () => {
  const spec = `{scaleTargetRef: {kind: StatefulSet, name: x}, triggers: [{type: rabbitmq, metadata: {queueName: a, vhostName: x}},
    {type: rabbitmq, metadata: {queueName: b, vhostName: y}}, {type: cpu, metadata: {value: "50"}}]}`;
  const none = convert(spec).notes.filter(({ outcome }) => outcome === "none");
  expect(none.map(({ field }) => field)).toEqual(expect.arrayContaining(["spec.triggers", "spec.triggers[2]", "spec.scaleTargetRef.kind"]));
});

test("the Deployment's single container becomes the worker", () => {
  const template = { spec: { containers: [{ name: "mailer", image: "registry.example/mailer:1" }] } };
  const given = { ...NOTHING, deployments: new Map([["mail", { spec: { template } }]]) };
  expect(convert(rabbit("{queueName: q}"), given).pool["template"]).toEqual({
    spec: { containers: [{ name: "worker", image: "registry.example/mailer:1" }] },
  });
});
