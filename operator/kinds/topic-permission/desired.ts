import type { BrokerObject } from "../../adapters/ports.ts";
import type { TopicPermission } from "./schema.ts";

/** The topic permission, named by user and exchange. Never throws. */
export function desiredTopicPermission({ spec: { user, exchange, write, read } }: TopicPermission): readonly BrokerObject[] {
  const name = [user, exchange].map(encodeURIComponent).join("/");
  return [{ type: "topic-permission", name, properties: { exchange, write, read } }];
}
