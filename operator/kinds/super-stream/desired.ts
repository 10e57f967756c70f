import type { Declared } from "../../adapters/ports.ts";
import { brokerArguments, desiredBindings } from "../bindings.ts";
import { given } from "../given.ts";
import { byteCount } from "../quantities.ts";
import type { SuperStream } from "./schema.ts";

/** As `rabbitmq-streams add_super_stream` makes it: clients find partitions and their order by these arguments. Never throws. */
export function desiredSuperStream({ metadata, spec }: SuperStream): readonly Declared[] {
  const { name = metadata.name, partitions, maxAge, maxLengthBytes, maxSegmentBytes } = spec;
  const keys = spec.routingKeys ?? Array.from({ length: partitions }, (_, index) => String(index));
  const typed = given({
    "x-max-age": maxAge,
    "x-max-length-bytes": maxLengthBytes === undefined ? undefined : byteCount(maxLengthBytes),
    "x-stream-max-segment-size-bytes": maxSegmentBytes === undefined ? undefined : byteCount(maxSegmentBytes),
  });
  const durable = { durable: true, autoDelete: false } as const;
  const queues = keys.map((key): Declared => {
    const given = { ...brokerArguments(spec.arguments), ...typed, "x-queue-type": "stream" };
    return { type: "queue", name: `${name}-${key}`, kind: "stream", ...durable, exclusive: false, arguments: given };
  });
  const bindings = keys.flatMap((key, order) =>
    desiredBindings({ type: "queue", name: `${name}-${key}` }, [
      { exchange: name, routingKey: key, arguments: { "x-stream-partition-order": order } },
    ]),
  );
  return [
    { type: "exchange", name, kind: "direct", ...durable, internal: false, arguments: { "x-super-stream": true } },
    ...queues,
    ...bindings,
  ];
}
