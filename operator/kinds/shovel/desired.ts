import type { Arguments, ArgumentValue, BrokerObject } from "../../adapters/ports.ts";
import { brokerArguments } from "../bindings.ts";
import { given } from "../given.ts";
import type { SecretNeed, SecretValues } from "../topology-kind.ts";
import { urisOf } from "../uris.ts";
import type { Shovel } from "./schema.ts";

type Spec = Shovel["spec"];

export function needsOfShovel({ spec: { source, destination } }: Shovel): readonly SecretNeed[] {
  const need = (as: string, { name, key }: { readonly name: string; readonly key: string }): SecretNeed => ({ as, secret: name, key });
  return [need("src-uri", source.uriFrom.secretKeyRef), need("dest-uri", destination.uriFrom.secretKeyRef)];
}

/** Whether it removes itself when it has moved all that it was to. */
export const endsByItself = ({ spec: { source } }: Shovel): boolean => (source.deleteAfter ?? "never") !== "never";

const table = (value: Readonly<Record<string, unknown>> | undefined): Arguments | undefined =>
  value === undefined ? undefined : brokerArguments(value);

const after = (text: string | undefined): ArgumentValue | undefined => (text !== undefined && /^\d+$/.test(text) ? Number(text) : text);

const end = (prefix: "src" | "dest", spec: Spec["source"] | Spec["destination"], uri: string): Arguments =>
  given({
    [`${prefix}-uri`]: urisOf(uri),
    [`${prefix}-protocol`]: spec.protocol,
    [`${prefix}-queue`]: spec.queue,
    [`${prefix}-queue-args`]: table(spec.queueArguments),
    [`${prefix}-exchange`]: spec.exchange,
    [`${prefix}-exchange-key`]: spec.exchangeKey,
    [`${prefix}-address`]: spec.address,
  });

/** The shovel, by the keys of rabbitmq.com/docs/shovel-dynamic. Never throws. */
export function desiredShovel({ metadata, spec }: Shovel, values: SecretValues): readonly BrokerObject[] {
  const { source, destination } = spec;
  const value = {
    ...end("src", source, values.get("src-uri") ?? ""),
    ...end("dest", destination, values.get("dest-uri") ?? ""),
    ...given({
      "src-prefetch-count": source.prefetchCount,
      "src-delete-after": after(source.deleteAfter),
      "src-consumer-args": table(source.consumerArguments),
      "dest-add-forward-headers": destination.addForwardHeaders,
      "dest-add-timestamp-header": destination.addTimestampHeader,
      "dest-publish-properties": table(destination.publishProperties),
      "dest-properties": table(destination.properties),
      "dest-application-properties": table(destination.applicationProperties),
      "dest-message-annotations": table(destination.messageAnnotations),
      "ack-mode": spec.ackMode,
      "reconnect-delay": spec.reconnectDelaySeconds,
    }),
  };
  return [{ type: "shovel", name: spec.name ?? metadata.name, properties: { value } }];
}
