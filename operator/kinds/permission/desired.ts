import type { BrokerObject } from "../../adapters/ports.ts";
import type { Permission } from "./schema.ts";

/** The permission. Never throws. */
export function desiredPermission({ spec: { user, configure, write, read } }: Permission): readonly BrokerObject[] {
  return [{ type: "permission", name: user, properties: { configure, write, read } }];
}
