import { expect, test } from "vitest";
import { brokerKind } from "../kinds/broker/schema.ts";
import { TOPOLOGY } from "../kinds/topology.ts";
import type { TopologyObject } from "../kinds/topology-kind.ts";
import { differences } from "../topology/compare.ts";
import { identityOf } from "../topology/identity.ts";
import { adopt } from "./adopt.ts";
import { definitionsSchema } from "./definitions.ts";

const shovel = {
  "src-uri": "amqp://u:secret@h",
  "src-queue": "from",
  "src-delete-after": 10,
  "src-consumer-args": { "x-priority": 2 },
  "dest-uri": ["amqp://u:secret@a", "amqp://u:secret@b"],
  "dest-protocol": "amqp10",
  "dest-address": "/queues/to",
  "ack-mode": "on-publish",
  "reconnect-delay": 5,
};
const upstream = { uri: "amqp://u:secret@hq", expires: 3_600_000, "max-hops": 2, "ack-mode": "on-confirm", "trust-user-id": false };
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
    { name: "old", password_hash: "bWQ1", hashing_algorithm: "rabbit_password_hashing_md5", tags: "" },
    { name: "own", password_hash: "eA==", hashing_algorithm: "my_hashing", tags: "" },
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
    { vhost: "/", component: "shovel", name: "s", value: shovel },
    { vhost: "/", component: "shovel", name: "old", value: { ...shovel, "delete-after": 5 } },
    { vhost: "Tenant A", component: "federation-upstream", name: "hq", value: upstream },
    { vhost: "/", component: "federation-upstream-set", name: "all", value: [] },
    { vhost: "/", component: "vhost-limits", name: "limits", value: { "max-connections": 7 } },
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
const { manifests, left, missing } = adopt(definitions, "rabbitmq");
/** What the user puts into the Secrets that are named. */
const values = new Map([
  ["hash", "aGFzaA=="],
  ["uri", upstream.uri],
  ["src-uri", shovel["src-uri"]],
  ["dest-uri", shovel["dest-uri"].join(" ")],
]);
/** What the operator would want of the broker for these manifests: by Broker object, identities and all. */
const wanted = manifests.flatMap((manifest) => {
  const kind = TOPOLOGY.find((one) => one.kind.kind === manifest.kind);
  if (kind === undefined) return [];
  const object = { ...manifest, spec: kind.kind.spec.parse(manifest.spec) } as object as TopologyObject;
  return kind.desired(object, values).map((one) => [object.spec.brokerRef.name, one] as const);
});

test("everything is wanted as the broker has it, by the Broker object of its vhost", () => {
  expect(wanted.map(([broker, one]) => `${broker} ${identityOf(one)}`).toSorted()).toEqual(
    [
      "rabbitmq operator-policy/cap",
      "rabbitmq policy/p",
      "rabbitmq queue/A b",
      "rabbitmq queue/a/b",
      "rabbitmq shovel/s",
      "rabbitmq user/Alice",
      "rabbitmq user/old",
      "rabbitmq vhost//",
      "rabbitmq vhost/Tenant A",
      "rabbitmq-tenant-a federation-upstream/hq",
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
  const old = wanted.find(([, one]) => one.type === "user" && one.name === "old")?.[1];
  expect(old).toMatchObject({ properties: { hashing_algorithm: "rabbit_password_hashing_md5" } });
  const vhost = wanted.find(([, one]) => one.type === "vhost" && one.name === "Tenant A")?.[1];
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

test("upstreams and shovels are adopted as they are, once their URIs stand in the Secrets that are named", () => {
  for (const [type, name, value] of [
    ["shovel", "s", shovel],
    ["federation-upstream", "hq", upstream],
  ] as const) {
    const one = wanted.find(([, object]) => object.type === type)?.[1];
    if (one === undefined) throw new Error(`no ${type}`);
    expect(differences(one, { type, name, properties: { value } })).toEqual([]);
    expect(differences(one, { type, name, properties: { value: { ...value, "ack-mode": "no-ack" } } })).toHaveLength(1);
  }
  expect(missing).toEqual([
    "Secret rabbitmq with the keys uri and management: where the broker is, and the login to it",
    "Secret s-shovel with the keys source and destination: the URIs of shovel s of vhost /",
    "Secret tenant-a-hq-upstream with the key uri: the URIs of federation-upstream hq of vhost Tenant A",
  ]);
});

test("what has no manifest is told, and no login is anywhere", () => {
  expect(left).toEqual([
    "user own: its password is hashed by my_hashing, and a User can say sha256, sha512 and md5 only",
    "queue amq.gen-1 of vhost /: its name belongs to the broker",
    "shovel old of vhost /: a Shovel has no field for delete-after",
    "parameter all of federation-upstream-set in vhost /: there is no kind for it",
  ]);
  expect(JSON.stringify([manifests, left, missing])).not.toContain("secret@");
});
