import type { BrokerObject } from "../../adapters/ports.ts";
import { given } from "../given.ts";
import type { Vhost } from "./schema.ts";

/** The vhost with its limits. Never throws. */
export function desiredVhost({ metadata, spec }: Vhost): readonly BrokerObject[] {
  const { description, tags, defaultQueueType, tracing, limits, deletionProtection } = spec;
  const properties = {
    description,
    tags: tags.toSorted(),
    tracing,
    ...given({ default_queue_type: defaultQueueType, protected_from_deletion: deletionProtection }),
    limits: given({ "max-connections": limits.connections, "max-queues": limits.queues }),
  };
  return [{ type: "vhost", name: spec.name ?? metadata.name, properties }];
}
