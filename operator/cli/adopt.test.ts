import { expect, test } from "vitest";
import { brokerKind } from "../kinds/broker/schema.ts";
import { TOPOLOGY } from "../kinds/topology.ts";
import type { TopologyObject } from "../kinds/topology-kind.ts";
import { identityOf } from "../topology/identity.ts";
import { adopt } from "./adopt.ts";
import { definitionsSchema } from "./definitions.ts";

const definitions = definitionsSchema.parse({
  rabbit_version: "4.0.5",
  users: [
    {
      name: "Alice",
      password_hash: "aGFzaA==",
      hashing_algorithm: "rabbit_password_hashing_sha256",
      tags: ["management"],
      limits: { "max-channels": 3 },
    },
  ],
  vhosts: [
    { name: "/", limits: [] },
    { name: "Tenant A", metadata: { description: "d", tags: ["t"], default_queue_type: "quorum" } },
  ],
  permissions: [{ user: "Alice", vhost: "Tenant A", configure: "", write: "^a", read: ".*" }],
  topic_permissions: [{ user: "Alice", vhost: "Tenant A", exchange: "shop", write: "^a", read: "" }],
  parameters: [
    { vhost: "Tenant A", component: "vhost-limits", name: "limits", value: { "max-queues": 9 } },
    {
      vhost: "/",
      component: "operator_policy",
      name: "cap",
      value: { pattern: ".*", "apply-to": "queues", priority: 0, definition: { "max-length": 5 } },
    },
    { vhost: "/", component: "shovel", name: "s", value: { "src-uri": "amqp://u:secret@h" } },
  ],
  policies: [{ vhost: "/", name: "p", pattern: "^q$", "apply-to": "all", definition: { "message-ttl": 5 }, priority: 1 }],
  queues: [
    { vhost: "/", name: "a/b", durable: true, auto_delete: false, arguments: { "x-queue-type": "quorum", "x-max-length": 5 } },
    { vhost: "Tenant A", name: "q", type: "classic", durable: true, auto_delete: false, arguments: { "x-message-ttl": 1_000 } },
    { vhost: "/", name: "A b", durable: true, auto_delete: false, arguments: { "x-queue-type": "stream" } },
    { vhost: "/", name: "amq.gen-1", durable: true, auto_delete: false, arguments: {} },
  ],
  exchanges: [
    {
      vhost: "Tenant A",
      name: "shop",
      type: "topic",
      durable: true,
      auto_delete: false,
      internal: false,
      arguments: { "alternate-exchange": "x" },
    },
  ],
  bindings: [
    { vhost: "Tenant A", source: "shop", destination: "q", destination_type: "queue", routing_key: "k", arguments: { n: 1, on: true } },
    { vhost: "Tenant A", source: "shop", destination: "amq.topic", destination_type: "exchange", routing_key: "", arguments: {} },
    { vhost: "/", source: "", destination: "a/b", destination_type: "queue", routing_key: "a/b", arguments: {} },
  ],
});
const { manifests, left } = adopt(definitions, "rabbitmq");
/** What the operator would want of the broker for these manifests: by Broker object, identities and all. */
const wanted = manifests.flatMap((manifest) => {
  const kind = TOPOLOGY.find((one) => one.kind.kind === manifest.kind);
  if (kind === undefined) return [];
  const object = { ...manifest, spec: kind.kind.spec.parse(manifest.spec) } as object as TopologyObject;
  return kind.desired(object, new Map([["hash", "aGFzaA=="]])).map((one) => [object.spec.brokerRef.name, one] as const);
});

test("everything is wanted as the broker has it, by the Broker object of its vhost", () => {
  expect(wanted.map(([broker, one]) => `${broker} ${identityOf(one)}`).toSorted()).toEqual(
    [
      "rabbitmq operator-policy/cap",
      "rabbitmq policy/p",
      "rabbitmq queue/A b",
      "rabbitmq queue/a/b",
      "rabbitmq user/Alice",
      "rabbitmq vhost/Tenant A",
      'rabbitmq-tenant-a binding/["shop","exchange","amq.topic","",{}]',
      'rabbitmq-tenant-a binding/["shop","queue","q","k",{"n":1,"on":true}]',
      "rabbitmq-tenant-a exchange/shop",
      "rabbitmq-tenant-a permission/Alice",
      "rabbitmq-tenant-a queue/q",
      "rabbitmq-tenant-a topic-permission/Alice/shop",
    ].toSorted(),
  );
  const queue = wanted.find(([, one]) => one.type === "queue" && one.name === "q")?.[1];
  expect(queue).toMatchObject({ kind: "classic", arguments: { "x-queue-type": "classic", "x-message-ttl": 1_000 } });
  const vhost = wanted.find(([, one]) => one.type === "vhost")?.[1];
  expect(vhost).toMatchObject({ properties: { description: "d", tags: ["t"], default_queue_type: "quorum", limits: { "max-queues": 9 } } });
});

test("Brokers are valid, names are Kubernetes' and different, nothing is deleted with its object", () => {
  const ids = manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
  expect(ids).toEqual([...new Set(ids)]);
  for (const { metadata } of manifests) expect(metadata.name).toMatch(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);
  for (const { kind, spec } of manifests) if (kind === "Broker") brokerKind.spec.parse(spec);
  for (const { kind, spec } of manifests)
    if (kind !== "Broker" && kind !== "Secret") expect(spec).toMatchObject({ deletionPolicy: "Retain" });
});

test("what has no manifest is told, without secrets", () => {
  expect(left).toEqual([
    "queue amq.gen-1 of vhost /: its name belongs to the broker",
    "parameter s of shovel in vhost /: its URIs would be secrets; write a Federation or Shovel",
  ]);
});
