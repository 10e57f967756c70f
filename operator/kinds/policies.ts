import * as z from "zod";
import type { BrokerObject } from "../adapters/ports.ts";
import { brokerArguments } from "./bindings.ts";
import { topologyColumns } from "./columns.ts";
import { brokerArguments as argumentsField, brokerReference, plainDeletionPolicy, plainName } from "./fields.ts";

/** The fields that both kinds of policy have. */
export const policyFields = {
  brokerRef: brokerReference,
  name: plainName("Name on the broker. Default: metadata.name.").optional(),
  pattern: z.string().max(4_096).meta({ description: "Regular expression of the names that it applies to: ^orders$ for one." }),
  priority: z.int().min(-2_147_483_648).max(2_147_483_647).default(0).meta({
    description: "Of several policies that match, the one with the highest priority applies. Equal ones are decided by chance: avoid them.",
  }),
  definition: argumentsField.meta({
    description: "What it sets, by the broker's own keys, as message-ttl or max-length, with their types kept.",
    preserveUnknown: true,
  }),
  deletionPolicy: plainDeletionPolicy,
} as const;

interface PolicyObject {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly name?: string | undefined;
    readonly pattern: string;
    readonly applyTo: string;
    readonly priority: number;
    readonly definition: Readonly<Record<string, unknown>>;
  };
}

/** Never throws. */
export function desiredPolicyOf(type: "policy" | "operator-policy", { metadata, spec }: PolicyObject): readonly BrokerObject[] {
  const { name = metadata.name, pattern, applyTo, priority, definition } = spec;
  return [{ type, name, properties: { pattern, "apply-to": applyTo, priority, definition: brokerArguments(definition) } }];
}

export const policyColumns = topologyColumns(
  { name: "Pattern", type: "string", jsonPath: ".spec.pattern", description: "Names that it applies to." },
  { name: "Priority", type: "integer", jsonPath: ".spec.priority", description: "The highest applies." },
);
