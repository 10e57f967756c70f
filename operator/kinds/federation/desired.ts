import type { BrokerObject } from "../../adapters/ports.ts";
import { given } from "../given.ts";
import { durationMs } from "../quantities.ts";
import type { SecretNeed, SecretValues } from "../topology-kind.ts";
import { urisOf } from "../uris.ts";
import type { Federation } from "./schema.ts";

const ms = (text: string | undefined): number | undefined => (text === undefined ? undefined : durationMs(text));

export function needsOfFederation({ spec }: Federation): readonly SecretNeed[] {
  const { name, key } = spec.uriFrom.secretKeyRef;
  return [{ as: "uri", secret: name, key }];
}

/** The upstream, by the keys of rabbitmq.com/docs/federation-reference. Never throws. */
export function desiredFederation({ metadata, spec }: Federation, values: SecretValues): readonly BrokerObject[] {
  const value = given({
    uri: urisOf(values.get("uri") ?? ""),
    "prefetch-count": spec.prefetchCount,
    "ack-mode": spec.ackMode,
    expires: ms(spec.expires),
    "message-ttl": ms(spec.messageTTL),
    "max-hops": spec.maxHops,
    "reconnect-delay": spec.reconnectDelaySeconds,
    "trust-user-id": spec.trustUserId,
    exchange: spec.exchange,
    queue: spec.queue,
    "queue-type": spec.queueType,
    "resource-cleanup-mode": spec.resourceCleanupMode,
  });
  return [{ type: "federation-upstream", name: spec.name ?? metadata.name, properties: { value } }];
}
