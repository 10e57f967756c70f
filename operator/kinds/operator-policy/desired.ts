import type { BrokerObject } from "../../adapters/ports.ts";
import { desiredPolicyOf } from "../policies.ts";
import type { OperatorPolicy } from "./schema.ts";

/** The policy. Never throws. */
export const desiredOperatorPolicy = (policy: OperatorPolicy): readonly BrokerObject[] => desiredPolicyOf("operator-policy", policy);
