import type { Kind } from "../runtime/define-kind.ts";
import { brokerKind } from "./broker/schema.ts";
import { scheduleKind } from "./schedule/schema.ts";
import { storeKind } from "./store/schema.ts";
import { TOPOLOGY } from "./topology.ts";
import { workerPoolKind } from "./worker-pool/schema.ts";

/** Every kind. CRDs, RBAC, reference and printer columns iterate over this list; adding a kind adds a line here, or in `topology.ts`. */
export const KINDS: readonly Kind[] = [brokerKind, ...TOPOLOGY.map(({ kind }) => kind), scheduleKind, storeKind, workerPoolKind];
