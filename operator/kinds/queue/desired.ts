import type { Arguments, ArgumentValue, Declared } from "../../adapters/ports.ts";
import { brokerArguments, desiredBindings } from "../bindings.ts";
import { byteCount, durationMs } from "../quantities.ts";
import type { Queue } from "./schema.ts";

type Spec = Queue["spec"];
type Row = readonly [argument: string, value: (spec: Spec) => ArgumentValue | undefined];

/** One row per typed field: the argument of `queue.declare` that it is, with its type. Source: rabbitmq.com/docs/queues, optional arguments. */
const ARGUMENTS: readonly Row[] = [
  ["x-queue-type", ({ type }) => type], // Always sent: what is left out is up to the vhost's default type.
  ["x-dead-letter-exchange", ({ deadLetter }) => deadLetter?.exchange],
  ["x-dead-letter-routing-key", ({ deadLetter }) => deadLetter?.routingKey],
  ["x-dead-letter-strategy", ({ deadLetter }) => deadLetter?.strategy],
  ["x-delivery-limit", ({ deliveryLimit }) => deliveryLimit],
  ["x-max-priority", ({ maxPriority }) => maxPriority],
  ["x-single-active-consumer", ({ singleActiveConsumer }) => singleActiveConsumer],
  ["x-expires", ({ expires }) => optional(expires, durationMs)], // ms
  ["x-message-ttl", ({ messageTTL }) => optional(messageTTL, durationMs)], // ms
  ["x-max-length", ({ maxLength }) => maxLength],
  ["x-max-length-bytes", ({ maxLengthBytes }) => optional(maxLengthBytes, byteCount)],
  ["x-overflow", ({ overflow }) => overflow],
  ["x-queue-leader-locator", ({ leaderLocator }) => leaderLocator],
  ["x-quorum-initial-group-size", ({ type, initialMembers }) => (type === "quorum" ? initialMembers : undefined)],
  ["x-initial-cluster-size", ({ type, initialMembers }) => (type === "stream" ? initialMembers : undefined)],
  ["x-consumer-timeout", ({ consumerTimeout }) => optional(consumerTimeout, durationMs)], // ms
  ["x-consumer-disconnected-timeout", ({ consumerDisconnectedTimeout }) => optional(consumerDisconnectedTimeout, durationMs)], // ms
  ["x-delayed-retry-type", ({ delayedRetry }) => delayedRetry?.type],
  ["x-delayed-retry-min", ({ delayedRetry }) => optional(delayedRetry?.min, durationMs)], // ms
  ["x-delayed-retry-max", ({ delayedRetry }) => optional(delayedRetry?.max, durationMs)], // ms
  ["x-max-age", ({ maxAge }) => optional(maxAge, (text) => `${Math.ceil(durationMs(text) / 1_000)}s`)],
  ["x-stream-max-segment-size-bytes", ({ maxSegmentBytes }) => optional(maxSegmentBytes, byteCount)],
  ["x-stream-filter-size-bytes", ({ filterBytes }) => filterBytes],
];

const optional = <T, From>(text: From | undefined, read: (text: From) => T): T | undefined => (text === undefined ? undefined : read(text));

const queueName = ({ metadata, spec }: Queue): string => spec.name ?? metadata.name;

/** The queue, then its bindings. A typed field wins over the same argument in `arguments`. Throws `RangeError` only on what the schema refuses. */
export function desiredQueue(queue: Queue): readonly Declared[] {
  const { spec } = queue;
  const name = queueName(queue);
  const typed = ARGUMENTS.map(([argument, value]) => [argument, value(spec)] as const);
  const given: Arguments = Object.fromEntries(typed.flatMap(([argument, value]) => (value === undefined ? [] : [[argument, value]])));
  return [
    {
      type: "queue",
      name,
      kind: spec.type,
      durable: spec.durable,
      autoDelete: spec.autoDelete,
      exclusive: false,
      arguments: { ...brokerArguments(spec.arguments), ...given },
    },
    ...desiredBindings({ type: "queue", name }, spec.bindings),
  ];
}
