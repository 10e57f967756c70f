import type { BrokerObject } from "../../adapters/ports.ts";
import { desiredPolicyOf } from "../policies.ts";
import type { Policy } from "./schema.ts";

/** The policy. Never throws. */
export const desiredPolicy = (policy: Policy): readonly BrokerObject[] => desiredPolicyOf("policy", policy);
