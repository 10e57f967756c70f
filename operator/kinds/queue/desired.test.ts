import { expect, test } from "vitest";
import { desiredQueue } from "./desired.ts";
import { type Queue, queueKind } from "./schema.ts";

const queue = (spec: object): Queue => ({
  apiVersion: "longshore.dev/v1alpha1",
  kind: "Queue",
  metadata: { name: "orders", namespace: "shop" },
  spec: queueKind.spec.parse({ brokerRef: { name: "rabbitmq" }, ...spec }),
});
const argumentsOf = (spec: object) => desiredQueue(queue(spec))[0]?.arguments;

test("defaults: a durable quorum queue named as the object, its type always sent", () => {
  expect(desiredQueue(queue({}))).toEqual([
    {
      type: "queue",
      name: "orders",
      kind: "quorum",
      durable: true,
      autoDelete: false,
      exclusive: false,
      arguments: { "x-queue-type": "quorum" },
    },
  ]);
});

const rows: readonly [why: string, spec: object, want: object][] = [
  ["dead letters", { deadLetter: { exchange: "", routingKey: "k" } }, { "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "k" }],
  [
    "at-least-once",
    { deadLetter: { exchange: "x", strategy: "at-least-once" } },
    { "x-dead-letter-exchange": "x", "x-dead-letter-strategy": "at-least-once" },
  ],
  ["an unlimited delivery limit", { deliveryLimit: -1 }, { "x-delivery-limit": -1 }],
  ["priorities", { type: "classic", maxPriority: 9 }, { "x-queue-type": "classic", "x-max-priority": 9 }],
  ["single active consumer", { singleActiveConsumer: true }, { "x-single-active-consumer": true }],
  ["a false boolean is sent, for it was said", { singleActiveConsumer: false }, { "x-single-active-consumer": false }],
  ["durations in ms", { expires: "24h", messageTTL: "1h30m" }, { "x-expires": 86_400_000, "x-message-ttl": 5_400_000 }],
  ["lengths", { maxLength: 0, maxLengthBytes: "1Gi" }, { "x-max-length": 0, "x-max-length-bytes": 1_073_741_824 }],
  ["overflow", { overflow: "reject-publish" }, { "x-overflow": "reject-publish" }],
  [
    "where the leader goes, and replicas",
    { leaderLocator: "balanced", initialMembers: 3 },
    { "x-queue-leader-locator": "balanced", "x-quorum-initial-group-size": 3 },
  ],
  [
    "consumer timeouts",
    { consumerTimeout: "30m", consumerDisconnectedTimeout: "90s" },
    { "x-consumer-timeout": 1_800_000, "x-consumer-disconnected-timeout": 90_000 },
  ],
  [
    "delayed retry",
    { delayedRetry: { type: "failed", min: "1s", max: "1m" } },
    { "x-delayed-retry-type": "failed", "x-delayed-retry-min": 1_000, "x-delayed-retry-max": 60_000 },
  ],
  [
    "a stream's ages and sizes",
    { type: "stream", maxAge: "7d", maxSegmentBytes: "500M", filterBytes: 32, initialMembers: 1 },
    {
      "x-queue-type": "stream",
      "x-max-age": "604800s",
      "x-stream-max-segment-size-bytes": 500_000_000,
      "x-stream-filter-size-bytes": 32,
      "x-initial-cluster-size": 1,
    },
  ],
  [
    "other arguments with their types",
    { arguments: { "x-quorum-initial-group-size": 3, text: "3", on: true, half: 0.5, list: [1, "a"] } },
    { "x-quorum-initial-group-size": 3, text: "3", on: true, half: 0.5, list: [1, "a"] },
  ],
  [
    "a typed field wins",
    { messageTTL: "1s", arguments: { "x-message-ttl": 5, "x-queue-type": "classic" } },
    { "x-message-ttl": 1_000, "x-queue-type": "quorum" },
  ],
];
test.for(rows)("%s", ([, spec, want]) => expect(argumentsOf(spec)).toEqual({ "x-queue-type": "quorum", ...want }));

test("null is no argument", () => expect(argumentsOf({ arguments: { a: null, b: [null] } })).toEqual({ "x-queue-type": "quorum" }));

test("bindings lead into the queue by its name on the broker, in the order of the spec", () => {
  const bindings = [
    { exchange: "shop", routingKey: "order.*" },
    { exchange: "audit", arguments: { "x-match": "all", count: 12_345 } },
  ];
  expect(desiredQueue(queue({ name: "the orders", bindings })).slice(1)).toEqual([
    { type: "binding", source: "shop", destinationType: "queue", destination: "the orders", routingKey: "order.*", arguments: {} },
    {
      type: "binding",
      source: "audit",
      destinationType: "queue",
      destination: "the orders",
      routingKey: "",
      arguments: { "x-match": "all", count: 12_345 },
    },
  ]);
});
