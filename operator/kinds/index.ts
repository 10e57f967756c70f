import type { Kind } from "../runtime/define-kind.ts";
import { brokerKind } from "./broker/schema.ts";
import { exchangeKind } from "./exchange/schema.ts";
import { queueKind } from "./queue/schema.ts";
import { scheduleKind } from "./schedule/schema.ts";
import { storeKind } from "./store/schema.ts";
import { workerPoolKind } from "./worker-pool/schema.ts";

/** Every kind, one line each. CRDs, RBAC, reference and printer columns iterate over this list; adding a kind adds a line here. */
export const KINDS: readonly Kind[] = [brokerKind, exchangeKind, queueKind, scheduleKind, storeKind, workerPoolKind];
